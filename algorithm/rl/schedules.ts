/**
 * The numbers in force at a step, as pure functions of (step, options, committed list of changes). No state
 * counts calls: a replayed or resumed step gets the same numbers.
 *
 * Steps count from 1: step n is the n-th optimiser update, and step 0 is the state before any.
 */
import type { Change, GrpoOptions, RewardModelOptions, SftOptions } from '../../contracts/options.ts';
import type { NumbersInForce, SupervisedNumbers } from '../../contracts/records/schemas.ts';
import { rolloutOfStep } from './rollout-plan.ts';

export type ScheduleOptions = Pick<
  GrpoOptions,
  'learning_rate' | 'lr_scheduler_type' | 'min_lr_rate' | 'warmup_steps' | 'max_steps'
>;
type SchedulerType = GrpoOptions['lr_scheduler_type'];

/**
 * The factor on `learning_rate` after `updates` optimiser updates, as in transformers' optimization.py:
 * the first step is taken with the factor at 0 updates, which is 0 under a warm-up.
 */
const factors: Record<SchedulerType, (updates: number, options: ScheduleOptions) => number> = {
  constant: () => 1,
  constant_with_warmup: (updates, options) => warmup(updates, options) ?? 1,
  linear: (updates, options) => warmup(updates, options) ?? Math.max(0, 1 - progress(updates, options)),
  cosine: (updates, options) => warmup(updates, options) ?? halfCosine(progress(updates, options)),
  cosine_with_min_lr: (updates, options) =>
    warmup(updates, options) ??
    halfCosine(progress(updates, options)) * (1 - options.min_lr_rate) + options.min_lr_rate,
};

/** The learning rate of one step (1 … `max_steps`), with the same options at all steps. */
export function learningRateAt(step: number, options: ScheduleOptions): number {
  if (!Number.isInteger(step) || step < 1) {
    throw new RangeError(`step: expected an integer from 1, found ${step}`);
  }
  return options.learning_rate * factors[options.lr_scheduler_type](step - 1, options);
}

type LimitOptions = Pick<GrpoOptions, 'max_completion_length' | 'max_completion_length_from'>;

/** The limit of a completion's tokens in the rollout that begins with `firstStep`: the latest of several limits. */
export function completionLimitAt(
  firstStep: number,
  { max_completion_length, max_completion_length_from = [] }: LimitOptions,
): number {
  const begun = max_completion_length_from.filter(({ from_step }) => from_step <= firstStep);
  const latest = begun.sort((a, b) => a.from_step - b.from_step).at(-1);
  return latest?.max_completion_length ?? max_completion_length;
}

/** The largest limit of a whole stage. */
export const longestCompletion = ({
  max_completion_length,
  max_completion_length_from = [],
}: LimitOptions): number =>
  Math.max(max_completion_length, ...max_completion_length_from.map((from) => from.max_completion_length));

/**
 * The options in force at `step`. A change is in force from its `effectiveStep` on; of several for one field the
 * latest effective one wins, and among equals the one committed last. A changed `learning_rate` is what the
 * schedule multiplies from then on.
 */
export function optionsInForce<Options extends object>(
  step: number,
  options: Options,
  changes: readonly Pick<Change, 'effectiveStep' | 'field' | 'value'>[],
): Options {
  const effective = changes
    .filter((change) => change.effectiveStep <= step)
    .sort((a, b) => a.effectiveStep - b.effectiveStep);
  return { ...options, ...Object.fromEntries(effective.map(({ field, value }) => [field, value])) };
}

/**
 * The numbers that one step (1 … `max_steps`) is trained with; its batch records them. The temperature is the one
 * that the step's rollout was sampled at, since log-probabilities are computed at it: a change of temperature is in
 * force from the next rollout on.
 */
export function numbersInForce(
  step: number,
  options: GrpoOptions,
  changes: readonly Pick<Change, 'effectiveStep' | 'field' | 'value'>[],
): NumbersInForce {
  const inForce = optionsInForce(step, options, changes);
  const { firstStep } = rolloutOfStep(step, options);
  return {
    learning_rate: learningRateAt(step, inForce),
    temperature: optionsInForce(firstStep, options, changes).temperature,
    beta: inForce.beta,
    use_bias_correction_kl: inForce.use_bias_correction_kl,
    epsilon: inForce.epsilon,
    epsilon_high: inForce.epsilon_high ?? inForce.epsilon,
    delta: inForce.delta ?? null,
    loss_type: inForce.loss_type,
    max_grad_norm: inForce.max_grad_norm,
    weight_decay: inForce.weight_decay,
    adam_beta1: inForce.adam_beta1,
    adam_beta2: inForce.adam_beta2,
    adam_epsilon: inForce.adam_epsilon,
    adam_step: step,
  };
}

/** The numbers that one step of supervised training is trained with; its batch records them. */
export function supervisedNumbersInForce(
  step: number,
  options: SftOptions | RewardModelOptions,
  changes: readonly Pick<Change, 'effectiveStep' | 'field' | 'value'>[],
): SupervisedNumbers {
  const inForce = optionsInForce(step, options, changes);
  const { max_grad_norm, weight_decay, adam_beta1, adam_beta2, adam_epsilon } = inForce;
  return {
    learning_rate: learningRateAt(step, inForce),
    max_grad_norm,
    weight_decay,
    adam_beta1,
    adam_beta2,
    adam_epsilon,
    adam_step: step,
  };
}

/** Rises linearly from 0 over `warmup_steps`; undefined once they are over. */
function warmup(updates: number, { warmup_steps }: ScheduleOptions): number | undefined {
  return updates < warmup_steps ? updates / warmup_steps : undefined;
}

/** The share of the steps after the warm-up that is done. */
function progress(updates: number, { warmup_steps, max_steps }: ScheduleOptions): number {
  return (updates - warmup_steps) / Math.max(1, max_steps - warmup_steps);
}

function halfCosine(share: number): number {
  return Math.max(0, 0.5 * (1 + Math.cos(Math.PI * share)));
}

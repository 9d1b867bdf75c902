import { type Change, grpoSchema, rewardModelSchema, sftSchema } from '../../contracts/options.ts';
import type { StagePlan } from '../../contracts/plan.ts';
import { optionsInForce } from '../rl/schedules.ts';

/**
 * Problems of the options at any step from the first of the `added` changes on, on top of the changes that are
 * `committed` already: `learning_rate: expected number to be >0, found -1`. Empty where there are none.
 */
export function problemsOfChanges(
  { algorithm, options }: Pick<StagePlan, 'algorithm' | 'options'>,
  committed: readonly Change[],
  added: readonly Change[],
): string[] {
  const all = [...committed, ...added];
  const first = Math.min(...added.map(({ effectiveStep }) => effectiveStep));
  const steps = all.map(({ effectiveStep }) => effectiveStep).filter((step) => step >= first);
  const inForce = steps.map((step) => optionsInForce(step, options, all));
  const problems = (changed: Options) => [
    ...outOfBounds(algorithm, changed),
    ...unprepared(options, changed),
  ];
  return [...new Set([...foreign(options, added), ...inForce.flatMap(problems)])];
}

type Options = StagePlan['options'];

const schemas = { grpo: grpoSchema, sft: sftSchema, 'reward-model': rewardModelSchema } as const;

/** Fields that this kind of stage does not have. */
function foreign(options: Options, added: readonly Change[]): string[] {
  return added
    .filter(({ field }) => !(field in options) && field !== 'epsilon_high')
    .map(({ field }) => `${field}: this stage has no such option`);
}

function outOfBounds(algorithm: StagePlan['algorithm'], changed: Options): string[] {
  const parsed = schemas[algorithm].safeParse(changed);
  if (parsed.success) return [];
  return parsed.error.issues.map(({ code, path, message }) => {
    const field = String(path[0]);
    if (code === 'custom') return `${field}: ${message}`;
    const found = (changed as Record<string, unknown>)[field];
    return `${field}: ${message.replace(/^Too (small|big): /, '')}, found ${found}`;
  });
}

/** A stage that began with beta 0 has no reference policy. */
function unprepared(options: Options, changed: Options): string[] {
  if (!('beta' in options && 'beta' in changed)) return [];
  if (options.beta > 0 || changed.beta === 0) return [];
  return [`beta: expected 0, as the stage began without a reference policy, found ${changed.beta}`];
}

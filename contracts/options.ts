import { z } from 'zod';
import {
  clipRange,
  figure,
  generations,
  isSoundByParts,
  learningRate,
  MOST_GENERATIONS,
  MOST_MEASURED,
  MOST_PHASES,
  MOST_SEQUENCES,
  penaltyWeight,
  probability,
  promptCount,
  sequences,
  share,
  steps,
  stepsOrNone,
  temperature,
  temperatureOrGreedy,
  tokens,
  topK,
  topP,
} from './bounds.ts';
import { lengthProblem, rewardSchema, ruleOptionsSchemas } from './rewards.ts';

/** Sampling options, named and meant as in TRL and Hugging Face's `GenerationConfig`. */
export const samplingSchema = z.strictObject({
  /** softmax(logits / temperature); 0 means greedy */
  temperature: temperatureOrGreedy.default(1),
  top_p: topP.default(1),
  /** 0 means off */
  top_k: topK.default(0),
  /** tokens */
  max_completion_length: tokens,
});
export type SamplingOptions = z.infer<typeof samplingSchema>;

/** Numbers of AdamW and of its schedule. */
export const optimiser = {
  learning_rate: learningRate,
  lr_scheduler_type: z
    .enum(['constant', 'constant_with_warmup', 'linear', 'cosine', 'cosine_with_min_lr'])
    .default('constant_with_warmup'),
  /** the share of `learning_rate` at which `cosine_with_min_lr` ends */
  min_lr_rate: share.default(0.1),
  warmup_steps: stepsOrNone.default(0),
  /** global norm; 0 means no clipping */
  max_grad_norm: z.number().min(0).max(1e12).default(1),
  weight_decay: penaltyWeight.default(0),
  adam_beta1: z.number().min(0).lt(1).default(0.9),
  adam_beta2: z.number().min(0).lt(1).default(0.999),
  /** float32 holds no smaller one */
  adam_epsilon: z.number().min(1e-37).max(1).default(1e-8),
};

const progress = {
  /** optimiser updates planned */
  max_steps: steps,
  /** a checkpoint is committed every so many steps, and at the last */
  save_steps: steps.default(50),
  /** held-out accuracy is measured every so many steps; 0 means only before and after */
  eval_steps: stepsOrNone.default(0),
  /** digests of the weights are logged every so many steps (rule 11) */
  digest_steps: steps.default(1),
};

/** Options of supervised fine-tuning under the Trainer's and TRL's names. A step is one optimiser update. */
export const sftSchema = z.strictObject({
  ...optimiser,
  save_steps: progress.save_steps,
  eval_steps: progress.eval_steps,
  digest_steps: progress.digest_steps,
  /** optimiser updates planned; the walk goes over as many passes of the data as they take */
  max_steps: steps,
  /** examples one step trains on */
  per_device_train_batch_size: sequences,
  /** several examples in a row, attention kept inside each */
  packing: z.boolean().default(true),
  /** prompt and response together, tokens; longer examples are left out of the batch, and counted as dropped */
  max_length: tokens,
});
export type SftOptions = z.infer<typeof sftSchema>;

/** Options of training a reward model. */
export const rewardModelSchema = z.strictObject({
  ...optimiser,
  save_steps: progress.save_steps,
  digest_steps: progress.digest_steps,
  max_steps: steps,
  /** pairs or labelled responses one step trains on */
  per_device_train_batch_size: sequences,
  max_length: tokens,
  /** share of held-out pairs that it must rank rightly before it is used; below it the stage parks */
  min_accuracy: share.default(0.8),
});
export type RewardModelOptions = z.infer<typeof rewardModelSchema>;

/**
 * Which domains a walk over the prompts visits: each prompt of a domain `weight` times a pass; what is not named
 * is left out. A pass is a list in memory, so that weights are small.
 */
export const domainWeightsSchema = z.record(z.string(), z.int().min(0).max(1_000));
export type DomainWeights = z.infer<typeof domainWeightsSchema>;

/** From a step on, other domains: the walk begins anew with the first rollout after it. */
const curriculumSchema = z
  .array(z.strictObject({ from_step: steps, domain_weights: domainWeightsSchema }))
  .max(MOST_PHASES);

/**
 * GRPO's options under TRL's names; defaults are the paper's (docs: reference table).
 * `steps_per_generation` counts optimiser steps (TRL: micro-batches).
 */
export const grpoSchema = z
  .strictObject({
    ...optimiser,
    ...progress,
    /** prompts whose groups one step trains on: a step's batch is `prompts_per_step × num_generations` */
    prompts_per_step: promptCount,
    num_generations: z.int().min(2).max(MOST_GENERATIONS).default(16),
    steps_per_generation: steps.default(1),
    num_iterations: steps.default(1),
    beta: penaltyWeight.default(0.001),
    use_bias_correction_kl: z.boolean().default(false),
    /** the ratio is clipped to 1 − `epsilon` … 1 + `epsilon_high`; from 1 on it has no lower bound, as a ratio is positive */
    epsilon: clipRange.default(0.2),
    /** left out: `epsilon` */
    epsilon_high: clipRange.optional(),
    /** upper bound of the ratio in the unclipped term; left out: none */
    delta: z.number().gt(1).max(1_000_000).optional(),
    loss_type: z.enum(['grpo', 'dapo', 'bnpo', 'dr_grpo']).default('grpo'),
    scale_rewards: z.enum(['group', 'batch', 'none']).default('group'),
    multi_objective_aggregation: z
      .enum(['sum_then_normalize', 'normalize_then_sum'])
      .default('sum_then_normalize'),
    mask_truncated_completions: z.boolean().default(false),
    sync_ref_model: z.boolean().default(true),
    ref_model_sync_steps: steps.default(400),
    ref_model_mixup_alpha: probability.default(1),
    dynamic_sampling: z.boolean().default(false),
    /** further rounds that dynamic sampling may draw before it trains on what it has */
    dynamic_sampling_max_rounds: z.int().min(1).max(1_000).default(8),
    temperature: temperature.default(1),
    top_p: topP.default(1),
    top_k: topK.default(0),
    max_completion_length: tokens,
    /** another limit from a step on: it holds from the first rollout that begins there or later */
    max_completion_length_from: z
      .array(z.strictObject({ from_step: steps, max_completion_length: tokens }))
      .max(MOST_PHASES)
      .optional(),
    rewards: z
      .array(rewardSchema)
      .min(1)
      .default([
        { name: 'accuracy', weight: 1 },
        { name: 'format', weight: 1 },
      ]),
    /** left out: every reasoning prompt once a pass */
    curriculum: curriculumSchema.default([]),
    /** a control: rewards are permuted over the rollout, so that nothing can be learned from them */
    shuffle_rewards: z.boolean().default(false),
    /** share of completions dropped because of errors above which the stage parks (rule 10) */
    max_drop_rate: share.default(0.2),
  })
  .superRefine((o, ctx) => {
    if (!isSoundByParts(ctx)) return;
    const refuse = (path: string | (string | number)[], message: string) =>
      ctx.addIssue({ code: 'custom', path: [path].flat(), message });
    if (o.warmup_steps > o.max_steps)
      refuse('warmup_steps', `expected at most max_steps (${o.max_steps}), found ${o.warmup_steps}`);
    const perStep = o.prompts_per_step * o.num_generations;
    if (perStep * o.steps_per_generation > MOST_SEQUENCES)
      refuse(
        'num_generations',
        `expected prompts_per_step × num_generations × steps_per_generation of at most ${MOST_SEQUENCES}, the completions of ` +
          `a rollout, found ${o.prompts_per_step} × ${o.num_generations} × ${o.steps_per_generation}`,
      );
    if (o.epsilon_high !== undefined && o.epsilon_high < o.epsilon)
      refuse('epsilon_high', `expected at least epsilon (${o.epsilon}), found ${o.epsilon_high}`);
    if (new Set(o.rewards.map((r) => r.name)).size < o.rewards.length)
      refuse('rewards', 'expected each reward once');
    if (o.rewards.every((r) => r.weight === 0))
      refuse('rewards', 'expected a weight other than 0 for at least one reward');
    for (const [path, from] of stepsJoined(o)) {
      if (from > o.max_steps)
        refuse(path, `expected a step of the stage (at most max_steps, ${o.max_steps}), found ${from}`);
    }
    if (o.dynamic_sampling && !o.rewards.some((r) => r.name === 'accuracy'))
      refuse(
        'dynamic_sampling',
        'needs the reward "accuracy": it keeps prompts that are neither all right nor all wrong',
      );
    const limits = (o.max_completion_length_from ?? []).map((from) => from.max_completion_length);
    const problem = lengthProblem(o.rewards, Math.min(o.max_completion_length, ...limits));
    if (problem !== null) refuse('rewards', problem);
    if (o.beta === 0 && o.use_bias_correction_kl)
      refuse('use_bias_correction_kl', 'has no meaning with beta 0');
  });
export type GrpoOptions = z.infer<typeof grpoSchema>;

type JoiningOptions = Partial<
  Readonly<
    Record<
      'rewards' | 'curriculum' | 'max_completion_length_from',
      readonly { from_step?: number | undefined }[]
    >
  >
>;

/** Steps from which on rewards, domains and limits join, each with its key. */
const stepsJoined = (options: JoiningOptions): [(string | number)[], number][] =>
  (['rewards', 'curriculum', 'max_completion_length_from'] as const).flatMap((field) =>
    (options[field] ?? []).map(({ from_step = 1 }, place): [(string | number)[], number] => [
      [field, place, 'from_step'],
      from_step,
    ]),
  );

/** How a policy is measured: k samples for each held-out problem. */
export const evaluationSchema = z
  .strictObject({
    /** held-out problems, the first so many in the data set's order */
    problems: promptCount.default(256),
    k: generations.default(16),
    temperature: temperatureOrGreedy.default(0.6),
    top_p: topP.default(0.95),
    top_k: topK.default(0),
    max_completion_length: tokens,
    /** problems and samples of the quick measurement every `eval_steps` */
    quick_problems: promptCount.default(64),
    quick_k: generations.default(4),
    /** held-out problems of the general domains, measured whole evaluations long with as many samples each */
    general_problems: promptCount.default(64),
    /** the language of chains of thought, measured in whole and quick evaluations; left out: not measured */
    language: ruleOptionsSchemas.language.optional(),
  })
  .superRefine(({ problems, k, quick_problems, quick_k }, ctx) => {
    const refuse = (path: string, [of, each]: [number, number]) =>
      ctx.addIssue({
        code: 'custom',
        path: [path],
        message: `expected at most ${MOST_MEASURED} samples of all problems together, found ${of} × ${each}`,
      });
    if (!isSoundByParts(ctx)) return;
    if (problems * k > MOST_MEASURED) refuse('k', [problems, k]);
    if (quick_problems * quick_k > MOST_MEASURED) refuse('quick_k', [quick_problems, quick_k]);
  });
export type EvaluationOptions = z.infer<typeof evaluationSchema>;

/** Fields of a stage that an operator may change while it runs (rule 7). */
export const changeableFields = [
  'learning_rate',
  'temperature',
  'beta',
  'epsilon',
  'epsilon_high',
  'max_grad_norm',
  'weight_decay',
  'min_accuracy',
] as const satisfies readonly (keyof GrpoOptions | keyof RewardModelOptions)[];
export type ChangeableField = (typeof changeableFields)[number];

/** Fields that are read once all steps are trained, and can be changed as long as the stage is not complete. */
export const fieldsReadAtTheEnd: readonly ChangeableField[] = ['min_accuracy'];

/** A committed live change: in force from `effectiveStep` on. */
export const changeSchema = z.strictObject({
  effectiveStep: steps,
  field: z.enum(changeableFields),
  value: figure,
  author: z.string(),
});
export type Change = z.infer<typeof changeSchema>;

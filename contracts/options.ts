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

/** Sampling options, with the names and meanings of TRL and Hugging Face's `GenerationConfig`. */
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

/** Options of AdamW and of its schedule. */
export const optimiser = {
  learning_rate: learningRate,
  lr_scheduler_type: z
    .enum(['constant', 'constant_with_warmup', 'linear', 'cosine', 'cosine_with_min_lr'])
    .default('constant_with_warmup'),
  /** the share of `learning_rate` that `cosine_with_min_lr` ends with */
  min_lr_rate: share.default(0.1),
  warmup_steps: stepsOrNone.default(0),
  /** global norm; 0 means no clipping */
  max_grad_norm: z.number().min(0).max(1e12).default(1),
  weight_decay: penaltyWeight.default(0),
  adam_beta1: z.number().min(0).lt(1).default(0.9),
  adam_beta2: z.number().min(0).lt(1).default(0.999),
  /** float32 cannot represent a smaller one */
  adam_epsilon: z.number().min(1e-37).max(1).default(1e-8),
};

const progress = {
  /** planned optimiser updates */
  max_steps: steps,
  /** steps between checkpoints; the last step also has one */
  save_steps: steps.default(50),
  /** steps between quick evaluations; 0: only before and after the stage */
  eval_steps: stepsOrNone.default(0),
  /** steps between logged digests of the weights (rule 11) */
  digest_steps: steps.default(1),
};

/** Metrics by which `save_best` compares evaluations; with `mean_length` lower is better, with the others higher. */
const bestMetrics = [
  'pass_at_1',
  'pass_at_k',
  'cons_at_k',
  'format_rate',
  'language_consistency',
  'mean_length',
] as const;
export type BestMetric = (typeof bestMetrics)[number];

/** Which checkpoints are deleted; none where there is no `save_total_limit`. */
const retention = {
  /** planned checkpoints that are kept, the latest first; default: all */
  save_total_limit: steps.optional(),
  /** also keeps those whose step is divisible by it */
  keep_every: steps.optional(),
};
const retentionByMetric = {
  ...retention,
  /** also keeps the one whose quick evaluation has the best value of this metric */
  save_best: z.enum(bestMetrics).optional(),
};
export interface RetentionOptions {
  save_total_limit?: number | undefined;
  keep_every?: number | undefined;
  save_best?: BestMetric | undefined;
}

interface SavedOptions extends RetentionOptions {
  save_steps: number;
  eval_steps?: number;
}

/** Refuses options of retention that would have no effect. */
function refuseRetention(options: SavedOptions, ctx: z.RefinementCtx): void {
  if (!isSoundByParts(ctx)) return;
  const { save_total_limit, save_best, keep_every, save_steps, eval_steps = 0 } = options;
  const refuse = (field: keyof RetentionOptions, message: string) =>
    ctx.addIssue({ code: 'custom', path: [field], message });
  for (const field of ['save_best', 'keep_every'] as const)
    if (options[field] !== undefined && save_total_limit === undefined)
      refuse(field, 'has no effect without save_total_limit, as every checkpoint is kept');
  if (keep_every !== undefined && keep_every % save_steps !== 0)
    refuse('keep_every', `expected a multiple of save_steps (${save_steps}), found ${keep_every}`);
  if (save_best !== undefined && (eval_steps === 0 || save_steps % eval_steps !== 0))
    refuse(
      'save_best',
      `expected an evaluation at each checkpoint: eval_steps that divides save_steps (${save_steps}), ` +
        `found eval_steps ${eval_steps}`,
    );
}

/**
 * Options of supervised fine-tuning, with the names of Hugging Face's Trainer and TRL. A step is one optimiser
 * update.
 */
export const sftSchema = z
  .strictObject({
    ...optimiser,
    save_steps: progress.save_steps,
    ...retentionByMetric,
    eval_steps: progress.eval_steps,
    digest_steps: progress.digest_steps,
    /** planned optimiser updates, over as many epochs as they take */
    max_steps: steps,
    /** examples per step */
    per_device_train_batch_size: sequences,
    /** whether several examples share one row; attention stays within each example */
    packing: z.boolean().default(true),
    /** maximum tokens of prompt and response together; longer examples are dropped from the batch, and counted */
    max_length: tokens,
  })
  .superRefine(refuseRetention);
export type SftOptions = z.infer<typeof sftSchema>;

/** Options of training a reward model. */
export const rewardModelSchema = z
  .strictObject({
    ...optimiser,
    save_steps: progress.save_steps,
    ...retention,
    digest_steps: progress.digest_steps,
    max_steps: steps,
    /** pairs or labelled responses per step */
    per_device_train_batch_size: sequences,
    max_length: tokens,
    /** minimum share of held-out pairs ranked correctly; below it the stage parks */
    min_accuracy: share.default(0.8),
  })
  .superRefine(refuseRetention);
export type RewardModelOptions = z.infer<typeof rewardModelSchema>;

/**
 * How often each prompt of a domain occurs per epoch; domains that are not named are left out. An epoch is a list in
 * memory, so weights are small.
 */
export const domainWeightsSchema = z.record(z.string(), z.int().min(0).max(1_000));
export type DomainWeights = z.infer<typeof domainWeightsSchema>;

/** Other domain weights from a step on: a new epoch starts with the first rollout that begins there or later. */
const curriculumSchema = z
  .array(z.strictObject({ from_step: steps, domain_weights: domainWeightsSchema }))
  .max(MOST_PHASES);

/**
 * Options of GRPO, with the names of TRL and the paper's defaults (see docs/recipes.md).
 * `steps_per_generation` counts optimiser steps; in TRL it counts micro-batches.
 */
export const grpoSchema = z
  .strictObject({
    ...optimiser,
    ...progress,
    ...retentionByMetric,
    /** prompts per step; a step's batch has `prompts_per_step × num_generations` completions */
    prompts_per_step: promptCount,
    num_generations: z.int().min(2).max(MOST_GENERATIONS).default(16),
    steps_per_generation: steps.default(1),
    num_iterations: steps.default(1),
    /**
     * groups that are sampled, scored and stored together; a rollout of more groups is cut into shards. Part of the
     * numerics: what is computed side by side decides the last bits
     */
    shard_size: promptCount.default(16),
    beta: penaltyWeight.default(0.001),
    use_bias_correction_kl: z.boolean().default(false),
    /**
     * the ratio is clipped to 1 − `epsilon` … 1 + `epsilon_high`; with 1 or more there is no lower bound, as ratios
     * are positive
     */
    epsilon: clipRange.default(0.2),
    /** default: `epsilon` */
    epsilon_high: clipRange.optional(),
    /** upper bound of the ratio in the unclipped term; default: none */
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
    /** maximum number of further rounds of dynamic sampling; then the step trains on the groups found */
    dynamic_sampling_max_rounds: z.int().min(1).max(1_000).default(8),
    temperature: temperature.default(1),
    top_p: topP.default(1),
    top_k: topK.default(0),
    max_completion_length: tokens,
    /** other limits from a step on; each applies from the first rollout that begins at that step or later */
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
    /** default: every reasoning prompt once per epoch */
    curriculum: curriculumSchema.default([]),
    /** control experiment: permutes rewards over the rollout, so nothing can be learned from them */
    shuffle_rewards: z.boolean().default(false),
    /** maximum share of completions dropped because of errors; above it the stage parks (rule 10) */
    max_drop_rate: share.default(0.2),
  })
  .superRefine((o, ctx) => {
    if (!isSoundByParts(ctx)) return;
    refuseRetention(o, ctx);
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
      refuse('use_bias_correction_kl', 'has no effect with beta 0');
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

/** The `from_step` of each reward, domain phase and length limit, with its path. */
const stepsJoined = (options: JoiningOptions): [(string | number)[], number][] =>
  (['rewards', 'curriculum', 'max_completion_length_from'] as const).flatMap((field) =>
    (options[field] ?? []).map(({ from_step = 1 }, index): [(string | number)[], number] => [
      [field, index, 'from_step'],
      from_step,
    ]),
  );

/** How a policy is measured: k samples for each held-out problem. */
export const evaluationSchema = z
  .strictObject({
    /** number of held-out problems, from the start of the data set */
    problems: promptCount.default(256),
    k: generations.default(16),
    temperature: temperatureOrGreedy.default(0.6),
    top_p: topP.default(0.95),
    top_k: topK.default(0),
    max_completion_length: tokens,
    /** problems and samples of the quick evaluation every `eval_steps` */
    quick_problems: promptCount.default(64),
    quick_k: generations.default(4),
    /** problems whose samples are drawn, sampled and scored together */
    shard_size: promptCount.default(64),
    /** held-out problems of the general domains in full evaluations, with `k` samples each */
    general_problems: promptCount.default(64),
    /** target language of chains of thought, measured in full and quick evaluations; default: not measured */
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

/** Fields that are read after the last step; they can change until the stage is complete. */
export const fieldsReadAtTheEnd: readonly ChangeableField[] = ['min_accuracy'];

/** A committed live change, in force from `effectiveStep` on. */
export const changeSchema = z.strictObject({
  effectiveStep: steps,
  field: z.enum(changeableFields),
  value: figure,
  author: z.string(),
});
export type Change = z.infer<typeof changeSchema>;

import { z } from 'zod';
import { lengthProblem, rewardSchema, ruleOptionsSchemas } from './rewards.ts';

/** Sampling options, named and meant as in TRL and Hugging Face's `GenerationConfig`. */
export const samplingSchema = z.strictObject({
  /** softmax(logits / temperature); 0 means greedy */
  temperature: z.number().min(0).default(1),
  top_p: z.number().gt(0).max(1).default(1),
  /** 0 means off */
  top_k: z.int().min(0).default(0),
  /** tokens */
  max_completion_length: z.int().positive(),
});
export type SamplingOptions = z.infer<typeof samplingSchema>;

const optimiser = {
  learning_rate: z.number().positive(),
  lr_scheduler_type: z
    .enum(['constant', 'constant_with_warmup', 'linear', 'cosine', 'cosine_with_min_lr'])
    .default('constant_with_warmup'),
  /** the share of `learning_rate` at which `cosine_with_min_lr` ends */
  min_lr_rate: z.number().min(0).max(1).default(0.1),
  warmup_steps: z.int().min(0).default(0),
  /** global norm; 0 means no clipping */
  max_grad_norm: z.number().min(0).default(1),
  weight_decay: z.number().min(0).default(0),
  adam_beta1: z.number().min(0).lt(1).default(0.9),
  adam_beta2: z.number().min(0).lt(1).default(0.999),
  adam_epsilon: z.number().positive().default(1e-8),
};

const progress = {
  /** optimiser updates planned */
  max_steps: z.int().positive(),
  /** a checkpoint is committed every so many steps, and at the last */
  save_steps: z.int().positive().default(50),
  /** held-out accuracy is measured every so many steps; 0 means only before and after */
  eval_steps: z.int().min(0).default(0),
  /** digests of the weights are logged every so many steps (rule 11) */
  digest_steps: z.int().positive().default(1),
};

/** Options of supervised fine-tuning under the Trainer's and TRL's names. A step is one optimiser update. */
export const sftSchema = z.strictObject({
  ...optimiser,
  save_steps: progress.save_steps,
  eval_steps: progress.eval_steps,
  digest_steps: progress.digest_steps,
  /** optimiser updates planned; the walk goes over as many passes of the data as they take */
  max_steps: z.int().positive(),
  /** examples one step trains on */
  per_device_train_batch_size: z.int().positive(),
  /** several examples in a row, attention kept inside each */
  packing: z.boolean().default(true),
  /** prompt and response together, tokens; longer examples are left out of the batch, and counted as dropped */
  max_length: z.int().positive(),
});
export type SftOptions = z.infer<typeof sftSchema>;

/** Options of training a reward model. */
export const rewardModelSchema = z.strictObject({
  ...optimiser,
  save_steps: progress.save_steps,
  digest_steps: progress.digest_steps,
  max_steps: z.int().positive(),
  /** pairs or labelled responses one step trains on */
  per_device_train_batch_size: z.int().positive(),
  max_length: z.int().positive(),
  /** share of held-out pairs that it must rank rightly before it is used; below it the stage parks */
  min_accuracy: z.number().min(0).max(1).default(0.8),
});
export type RewardModelOptions = z.infer<typeof rewardModelSchema>;

/**
 * Which domains a walk over the prompts visits: each prompt of a domain `weight` times a pass; what is not named
 * is left out.
 */
export const domainWeightsSchema = z.record(z.string(), z.int().min(0));
export type DomainWeights = z.infer<typeof domainWeightsSchema>;

/** From a step on, other domains: the walk begins anew with the first rollout after it. */
export const curriculumSchema = z.array(
  z.strictObject({ from_step: z.int().positive(), domain_weights: domainWeightsSchema }),
);

/**
 * GRPO's options under TRL's names; defaults are the paper's (docs: reference table).
 * `steps_per_generation` counts optimiser steps (TRL: micro-batches).
 */
export const grpoSchema = z
  .strictObject({
    ...optimiser,
    ...progress,
    /** prompts whose groups one step trains on: a step's batch is `prompts_per_step × num_generations` */
    prompts_per_step: z.int().positive(),
    num_generations: z.int().min(2).default(16),
    steps_per_generation: z.int().positive().default(1),
    num_iterations: z.int().positive().default(1),
    beta: z.number().min(0).default(0.001),
    use_bias_correction_kl: z.boolean().default(false),
    epsilon: z.number().positive().default(0.2),
    /** left out: `epsilon` */
    epsilon_high: z.number().positive().optional(),
    /** upper bound of the ratio in the unclipped term; left out: none */
    delta: z.number().gt(1).optional(),
    loss_type: z.enum(['grpo', 'dapo', 'bnpo', 'dr_grpo']).default('grpo'),
    scale_rewards: z.enum(['group', 'batch', 'none']).default('group'),
    multi_objective_aggregation: z
      .enum(['sum_then_normalize', 'normalize_then_sum'])
      .default('sum_then_normalize'),
    mask_truncated_completions: z.boolean().default(false),
    sync_ref_model: z.boolean().default(true),
    ref_model_sync_steps: z.int().positive().default(400),
    ref_model_mixup_alpha: z.number().gt(0).max(1).default(1),
    dynamic_sampling: z.boolean().default(false),
    /** further rounds that dynamic sampling may draw before it trains on what it has */
    dynamic_sampling_max_rounds: z.int().positive().default(8),
    temperature: z.number().positive().default(1),
    top_p: z.number().gt(0).max(1).default(1),
    top_k: z.int().min(0).default(0),
    max_completion_length: z.int().positive(),
    /** another limit from a step on: it holds from the first rollout that begins there or later */
    max_completion_length_from: z
      .array(z.strictObject({ from_step: z.int().positive(), max_completion_length: z.int().positive() }))
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
    max_drop_rate: z.number().min(0).max(1).default(0.2),
  })
  .superRefine((o, ctx) => {
    const refuse = (path: string | (string | number)[], message: string) =>
      ctx.addIssue({ code: 'custom', path: [path].flat(), message });
    if (o.warmup_steps > o.max_steps)
      refuse('warmup_steps', `expected at most max_steps (${o.max_steps}), found ${o.warmup_steps}`);
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
export const evaluationSchema = z.strictObject({
  /** held-out problems, the first so many in the data set's order */
  problems: z.int().positive().default(256),
  k: z.int().positive().default(16),
  temperature: z.number().min(0).default(0.6),
  top_p: z.number().gt(0).max(1).default(0.95),
  top_k: z.int().min(0).default(0),
  max_completion_length: z.int().positive(),
  /** problems and samples of the quick measurement every `eval_steps` */
  quick_problems: z.int().positive().default(64),
  quick_k: z.int().positive().default(4),
  /** held-out problems of the general domains, measured whole evaluations long with as many samples each */
  general_problems: z.int().positive().default(64),
  /** the language of chains of thought, measured in whole and quick evaluations; left out: not measured */
  language: ruleOptionsSchemas.language.optional(),
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
  effectiveStep: z.int().positive(),
  field: z.enum(changeableFields),
  value: z.number(),
  author: z.string(),
});
export type Change = z.infer<typeof changeSchema>;

import { z } from 'zod';
import { numericsSchema } from './numerics.ts';
import { sha256Schema } from './reference.ts';

/** Shape of the model to make: keys of a Llama `config.json`; the vocabulary is the nano tokenizer's. */
export const architectureSchema = z.strictObject({
  num_hidden_layers: z.int().positive(),
  hidden_size: z.int().positive(),
  intermediate_size: z.int().positive(),
  num_attention_heads: z.int().positive(),
  num_key_value_heads: z.int().positive(),
  head_dim: z.int().positive(),
  max_position_embeddings: z.int().positive(),
  rms_norm_eps: z.number().positive().default(1e-5),
  rope_theta: z.number().positive().default(10_000),
  tie_word_embeddings: z.boolean().default(true),
  /** standard deviation of freshly drawn weights */
  initializer_range: z.number().positive().default(0.02),
});

const share = z.number().min(0).max(1);

/** Behaviours of the corpus; see `algorithm/nano-corpus.ts`. */
export const mixtureSchema = z
  .strictObject({
    /** numbers that are added up, each from 1 to `limit`−1 */
    terms: z.int().min(2).max(8),
    limit: z.int().min(2).max(100),
    /** share of general tasks (copy, reverse, look up); the rest are sums */
    general: share,
    /** share of the general tasks whose numbers are added up instead */
    distracted: share,
    /** share of the sums answered by unreasoned guesses */
    guesses: share,
    /** share of the sums answered by worked solutions; the rest are worked and checked */
    worked: share,
    /** a guess is uniform within ± this of the sum */
    guess_range: z.int().min(0),
    /** share of the guesses that lack a tag or go on after the end */
    malformed: share,
    /** share of the worked and checked solutions wholly in home words */
    home: share,
    /** share of them wholly in foreign words; in the rest each word is of either language */
    foreign: share,
    /** probability that a result after a home word is off */
    home_slips: share,
    /** probability that a result after a foreign word is off */
    foreign_slips: share,
    /** a step taken a second time slips at its word's rate × this */
    recheck: share,
    /** a slip is uniform within ± this, never 0 */
    slip_range: z.int().positive(),
  })
  .superRefine((mixture, ctx) => {
    for (const [first, second] of [
      ['guesses', 'worked'],
      ['home', 'foreign'],
    ] as const) {
      if (mixture[first] + mixture[second] <= 1) continue;
      const found = `found ${mixture[first]} + ${mixture[second]}`;
      const message = `expected at most 1 together with ${first}, ${found}`;
      ctx.addIssue({ code: 'custom', path: [second], message });
    }
  });

/** How the nano base is made (`recipes/nano-base.yaml`). Unknown keys are refused. */
export const pretrainSchema = z.strictObject({
  seed: z.int().nonnegative(),
  architecture: architectureSchema,
  mixture: mixtureSchema,
  optimiser: z.strictObject({
    /** at its peak; falls along half a cosine to `min_lr_rate` of it */
    learning_rate: z.number().positive(),
    min_lr_rate: z.number().min(0).max(1).default(0.1),
    warmup_steps: z.int().min(0).default(0),
    max_grad_norm: z.number().min(0).default(1),
    weight_decay: z.number().min(0).default(0),
    adam_beta1: z.number().min(0).lt(1).default(0.9),
    adam_beta2: z.number().min(0).lt(1).default(0.999),
    adam_epsilon: z.number().positive().default(1e-8),
  }),
  max_steps: z.int().positive(),
  /** examples a step */
  batch_size: z.int().positive(),
});
export type PretrainOptions = z.infer<typeof pretrainSchema>;

/** `pretraining.json` beside the weights: what made them, so that they can be made again and compared. */
export const pretrainingSchema = z.strictObject({
  options: pretrainSchema,
  numerics: numericsSchema,
  parameters: z.int().positive(),
  /** step → digest of the weights after it; 0 is the initialisation */
  digests: z.record(z.string(), sha256Schema),
  /** mean loss a token of the last step, nats */
  loss: z.number(),
  tokens: z.int().nonnegative(),
});
export type PretrainingRecord = z.infer<typeof pretrainingSchema>;

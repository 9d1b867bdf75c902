import { z } from 'zod';
import {
  count,
  figure,
  parameterCount,
  seedNumber,
  sequences,
  shape,
  share,
  steps,
  tokens,
} from './bounds.ts';
import { numericsSchema } from './numerics.ts';
import { optimiser } from './options.ts';
import { sha256Schema } from './reference.ts';

/** Shape of the new model, with the keys of a Llama `config.json`; the vocabulary is the nano tokenizer's. */
const architectureSchema = z.strictObject({
  num_hidden_layers: shape.num_hidden_layers,
  hidden_size: shape.hidden_size,
  intermediate_size: shape.intermediate_size,
  num_attention_heads: shape.num_attention_heads,
  num_key_value_heads: shape.num_attention_heads,
  head_dim: shape.head_dim,
  max_position_embeddings: tokens,
  rms_norm_eps: shape.rms_norm_eps.default(1e-5),
  rope_theta: shape.rope_theta.default(10_000),
  tie_word_embeddings: z.boolean().default(true),
  /** standard deviation of the initial weights */
  initializer_range: shape.initializer_range.default(0.02),
});

/** Behaviours of the corpus; see `algorithm/nano/corpus.ts`. */
const mixtureSchema = z
  .strictObject({
    /** how many numbers a sum has, each from 1 to `limit` − 1 */
    terms: z.int().min(2).max(8),
    limit: z.int().min(2).max(100),
    /** share of general tasks (copy, reverse, lookup); the rest are sums */
    general: share,
    /** share of the general tasks that are answered with a sum instead */
    distracted: share,
    /** share of the sums answered by guesses without reasoning */
    guesses: share,
    /** share of the sums answered by worked solutions; the rest are worked and checked */
    worked: share,
    /** a guess is uniform within ± this of the sum */
    guess_range: z.int().min(0).max(10_000),
    /** share of the guesses that lack a tag or continue after the end */
    malformed: share,
    /** share of the worked and checked solutions only in words of the home language, English */
    home: share,
    /** share of them only in words of the foreign language, Spanish; in the rest each word is in either language */
    foreign: share,
    /** probability of a wrong result after a home word */
    home_slips: share,
    /** probability of a wrong result after a foreign word */
    foreign_slips: share,
    /** a repeated step is wrong with its word's probability × this */
    recheck: share,
    /** the error of a wrong result is uniform within ± this, never 0 */
    slip_range: z.int().min(1).max(10_000),
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

/** Options of `r1 pretrain` (`recipes/nano-base.yaml`). Unknown keys are errors. */
export const pretrainSchema = z.strictObject({
  seed: seedNumber,
  architecture: architectureSchema,
  mixture: mixtureSchema,
  optimiser: z.strictObject({
    /** the peak; decays by half a cosine to `min_lr_rate` of it */
    learning_rate: optimiser.learning_rate,
    min_lr_rate: optimiser.min_lr_rate,
    warmup_steps: optimiser.warmup_steps,
    max_grad_norm: optimiser.max_grad_norm,
    weight_decay: optimiser.weight_decay,
    adam_beta1: optimiser.adam_beta1,
    adam_beta2: optimiser.adam_beta2,
    adam_epsilon: optimiser.adam_epsilon,
  }),
  max_steps: steps,
  /** examples per step */
  batch_size: sequences,
});
export type PretrainOptions = z.infer<typeof pretrainSchema>;

/** `pretraining.json` beside the weights: their origin, for reproducing and comparing them. */
export const pretrainingSchema = z.strictObject({
  options: pretrainSchema,
  numerics: numericsSchema,
  parameters: parameterCount,
  /** digest of the weights after each step; 0 is the initialisation */
  digests: z.record(z.string(), sha256Schema),
  /** mean loss per token of the last step, in nats */
  loss: figure,
  tokens: count,
});
export type PretrainingRecord = z.infer<typeof pretrainingSchema>;

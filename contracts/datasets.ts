import { z } from 'zod';
import { figure, generations, MOST_TOKENS, probability, share, tokens } from './bounds.ts';
import type { BranchKey } from './identity.ts';
import { type Reference, referenceSchema, sha256Schema } from './reference.ts';
import type { CommittedCheckpoint, SamplingCost } from './stage-state.ts';

/**
 * Samples, each accepted or rejected, and the data sets that are made of them. Texts lie in S3, many in one
 * immutable object (a shard); rows in Postgres say where each begins.
 */

/**
 * Why a sample is refused, in the order in which the rules are asked: the first that refuses it is the reason.
 * What each means stands with its rule in `algorithm/data/filters.ts`.
 */
export const rejectionReasons = [
  'error',
  'incorrect',
  'truncated',
  'too-long',
  'format',
  'empty-thinking',
  'mixed-language',
  'long-paragraph',
  'code-block',
  'repetition',
  'contaminated',
  'near-duplicate',
  'over-quota',
] as const;
export const rejectionReasonSchema = z.enum(rejectionReasons);
export type RejectionReason = z.infer<typeof rejectionReasonSchema>;

/** The form that accepted texts are written in; see `algorithm/data/rewrite.ts`. */
const templateSchema = z.enum(['answer-tags', 'summary']);
export type TemplateName = z.infer<typeof templateSchema>;

/** Two texts are near-duplicates where their sets of shingles overlap by at least `similarity` (Jaccard). */
const nearDuplicateSchema = z.strictObject({
  similarity: probability.default(0.8),
  /** what a shingle is a run of */
  unit: z.enum(['words', 'characters']).default('words'),
  size: z.int().min(1).max(10_000).default(5),
});
export type NearDuplicateRule = z.infer<typeof nearDuplicateSchema>;

/** Which samples are kept. `null` leaves a rule out. */
export const selectionRuleSchema = z.strictObject({
  /** least score of the reward `accuracy` */
  min_accuracy: z.number().min(-1).max(1).default(1),
  /** whether a sample cut by the length limit is refused */
  refuse_truncated: z.boolean().default(true),
  max_tokens: tokens.nullable().default(null),
  /** `required`: as sampled it has full marks of the reward `format`; `rewritten`: the template can make it well-formed */
  format: z.enum(['required', 'rewritten']).default('required'),
  template: templateSchema.default('answer-tags'),
  /** words of the chain of thought; 0 lets responses pass that do not think */
  min_thinking_words: z.int().min(0).max(MOST_TOKENS).default(1),
  /** least score of the reward `language`: the share of words in the target language */
  min_language_share: share.nullable().default(null),
  /** characters between two blank lines */
  max_paragraph: z.int().min(1).max(1_000_000_000).nullable().default(null),
  /** domains in which a fenced block of code may stand; null: in every one */
  code_blocks_in: z.array(z.string()).nullable().default(['code']),
  /** share of 6-grams that occurred before in the same text */
  max_repeated_share: share.nullable().default(null),
  /** whether a problem is refused that shares a 10-gram with one of an evaluation set */
  decontaminate: z.boolean().default(true),
  near_duplicate: nearDuplicateSchema.nullable().default(null),
  /** samples of one prompt at most */
  per_prompt: generations.nullable().default(null),
});
export type SelectionRule = z.infer<typeof selectionRuleSchema>;

/** Where a text lies: bytes `offset` … `offset + length − 1` of an object, UTF-8. */
const textLocationSchema = z.strictObject({
  object: referenceSchema,
  offset: z.int().nonnegative(),
  length: z.int().nonnegative(),
  /** of the text's own bytes */
  sha256: sha256Schema,
});
export type TextLocation = z.infer<typeof textLocationSchema>;

/** What a reward said of a sample, and which version of it said so. */
export const sampleVerdictSchema = z.union([
  z.strictObject({ score: figure, version: z.int().min(0) }),
  z.strictObject({
    error: z.strictObject({ kind: z.string(), message: z.string() }),
    version: z.int().min(0),
  }),
]);
export type SampleVerdict = z.infer<typeof sampleVerdictSchema>;

/** How many samples of a part, or of a data set, went which way. */
const sampleCountsSchema = z.strictObject({
  sampled: z.int().nonnegative(),
  /** those whose accuracy is at least the rule's */
  correct: z.int().nonnegative(),
  kept: z.int().nonnegative(),
  /** reason → samples; reasons without any are left out */
  rejected: z.partialRecord(rejectionReasonSchema, z.int().positive()),
});
export type SampleCounts = z.infer<typeof sampleCountsSchema>;

/** Names of data sets: `NAME@VERSION` on the command line. A stage's own are named by run and stage. */
export const datasetNameSchema = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._/-]{0,199}$/, 'expected letters, digits and "._/-", at most 200');

/** What decided the rows of a data set. */
export const datasetRuleSchema = z.strictObject({
  /** null: nothing was sampled for it */
  selection: selectionRuleSchema.nullable(),
  /** digests of the data sets whose rows come after the samples, in order */
  include: z.array(sha256Schema),
});
export type DatasetRule = z.infer<typeof datasetRuleSchema>;

/** A row of a data set as supervised training reads it. */
export interface Example {
  problem: string;
  response: string;
  domain: string;
  /** of (problem, answer, domain); the answer of a hand-written example is empty */
  promptHash: string;
}

/** An example that was written or generated, not sampled. */
export interface NewExample {
  problem: string;
  response: string;
  domain: string;
  /** the file or generator, and the line in it or the number of what was generated, from 1 */
  source: string;
  line: number;
}

export interface SelectSamplesInput {
  /** the stage whose data it is */
  key: BranchKey;
  /** parts are numbered from 0: one rollout each */
  part: number;
  rollout: Reference;
  scores: Reference;
  /** whose policy sampled */
  from: { stage: string; checkpoint: CommittedCheckpoint };
  rule: SelectionRule;
  /** left out by histories that were begun before it was told */
  spent?: SamplingCost;
}

export interface BuildDatasetInput {
  key: BranchKey;
  name: string;
  /** the rule by which the parts were selected */
  rule: SelectionRule;
  /** parts 0 … parts − 1 must be committed */
  parts: number;
  /** digests of data sets whose rows join, in order */
  include: string[];
}
export interface BuildDatasetResult {
  digest: string;
  name: string;
  version: number;
  rows: number;
}

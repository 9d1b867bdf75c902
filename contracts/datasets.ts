import { z } from 'zod';
import { figure, generations, MOST_TOKENS, probability, share, tokens } from './bounds.ts';
import type { BranchKey } from './identity.ts';
import { type Reference, referenceSchema, sha256Schema } from './reference.ts';
import type { CommittedCheckpoint, SamplingCost } from './stage-state.ts';

/**
 * Samples, each accepted or rejected, and the data sets built from them. Texts are stored in S3, many in one
 * immutable object (a shard); rows in Postgres contain the location of each.
 */

/**
 * Reasons to reject a sample, in the order in which the rules are checked; the first rule that rejects it is the
 * reason. `algorithm/data/filters.ts` defines each rule.
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

/** The format of accepted texts; see `algorithm/data/rewrite.ts`. */
const templateSchema = z.enum(['answer-tags', 'summary']);
export type TemplateName = z.infer<typeof templateSchema>;

/** Two texts are near-duplicates where their sets of shingles overlap by at least `similarity` (Jaccard). */
const nearDuplicateSchema = z.strictObject({
  similarity: probability.default(0.8),
  /** the unit of a shingle */
  unit: z.enum(['words', 'characters']).default('words'),
  size: z.int().min(1).max(10_000).default(5),
});
export type NearDuplicateRule = z.infer<typeof nearDuplicateSchema>;

/** Which samples are accepted. `null` switches a rule off. */
export const selectionRuleSchema = z.strictObject({
  /** minimum score of the reward `accuracy` */
  min_accuracy: z.number().min(-1).max(1).default(1),
  /** whether samples cut by the length limit are rejected */
  refuse_truncated: z.boolean().default(true),
  max_tokens: tokens.nullable().default(null),
  /**
   * `required`: the sample has full marks of the reward `format`; `rewritten`: the template can make it well-formed
   */
  format: z.enum(['required', 'rewritten']).default('required'),
  template: templateSchema.default('answer-tags'),
  /** minimum words of the chain of thought; 0 accepts responses without one */
  min_thinking_words: z.int().min(0).max(MOST_TOKENS).default(1),
  /** minimum score of the reward `language`: the share of words in the target language */
  min_language_share: share.nullable().default(null),
  /** maximum characters between two blank lines */
  max_paragraph: z.int().min(1).max(1_000_000_000).nullable().default(null),
  /** domains whose samples may contain fenced code blocks; null: all domains */
  code_blocks_in: z.array(z.string()).nullable().default(['code']),
  /** maximum share of 6-grams that occurred before in the same text */
  max_repeated_share: share.nullable().default(null),
  /** whether problems that share a 10-gram with an evaluation set are rejected */
  decontaminate: z.boolean().default(true),
  near_duplicate: nearDuplicateSchema.nullable().default(null),
  /** maximum number of samples per prompt */
  per_prompt: generations.nullable().default(null),
});
export type SelectionRule = z.infer<typeof selectionRuleSchema>;

/** Location of a text: bytes `offset` … `offset + length − 1` of an object, in UTF-8. */
export const textLocationSchema = z.strictObject({
  object: referenceSchema,
  offset: z.int().nonnegative(),
  length: z.int().nonnegative(),
  /** hash of the text's bytes */
  sha256: sha256Schema,
});
export type TextLocation = z.infer<typeof textLocationSchema>;

/** A reward's verdict on a sample, and the version of its verifier. */
export const sampleVerdictSchema = z.union([
  z.strictObject({ score: figure, version: z.int().min(0) }),
  z.strictObject({
    error: z.strictObject({ kind: z.string(), message: z.string() }),
    version: z.int().min(0),
  }),
]);
export type SampleVerdict = z.infer<typeof sampleVerdictSchema>;

/** Counts of the samples of a part, or of a data set. */
export const sampleCountsSchema = z.strictObject({
  sampled: z.int().nonnegative(),
  /** samples whose accuracy is at least the rule's minimum */
  correct: z.int().nonnegative(),
  kept: z.int().nonnegative(),
  /** number of rejected samples by reason; reasons without samples are left out */
  rejected: z.partialRecord(rejectionReasonSchema, z.int().positive()),
});
export type SampleCounts = z.infer<typeof sampleCountsSchema>;

/** Names of data sets: `NAME@VERSION` on the command line. A stage's data set has the name of its run and stage. */
export const datasetNameSchema = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._/-]{0,199}$/, 'expected letters, digits and "._/-", at most 200');

/** The rules that determined the rows of a data set. */
export const datasetRuleSchema = z.strictObject({
  /** null: it contains no samples */
  selection: selectionRuleSchema.nullable(),
  /** digests of the data sets whose rows follow the samples, in order */
  include: z.array(sha256Schema),
});
export type DatasetRule = z.infer<typeof datasetRuleSchema>;

/** A row of a data set as supervised training reads it. */
export interface Example {
  problem: string;
  response: string;
  domain: string;
  /** hash of (problem, answer, domain); the answer of a hand-written example is empty */
  promptHash: string;
}

/** An example that was written or generated, not sampled. */
export interface NewExample {
  problem: string;
  response: string;
  domain: string;
  /** the file or generator; `line`: the line in the file, or the number of the generated example, from 1 */
  source: string;
  line: number;
}

export interface SelectSamplesInput {
  /** branch of the stage that the samples belong to */
  key: BranchKey;
  /** number of the part, from 0; each part has one rollout */
  part: number;
  rollout: Reference;
  scores: Reference;
  /** the stage and checkpoint that sampled */
  from: { stage: string; checkpoint: CommittedCheckpoint };
  rule: SelectionRule;
  /** Optional: workflows started by an earlier release do not send it. */
  spent?: SamplingCost;
}

export interface BuildDatasetInput {
  key: BranchKey;
  name: string;
  /** the rule by which the parts were selected */
  rule: SelectionRule;
  /** parts 0 … parts − 1 must be committed */
  parts: number;
  /** digests of the data sets to include, in order */
  include: string[];
}
export interface BuildDatasetResult {
  digest: string;
  name: string;
  version: number;
  rows: number;
}

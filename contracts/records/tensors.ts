/**
 * The tensors of every record: dtypes, axes and meanings. Readers check them, and `contracts/schemas/records/tensors.json`
 * publishes them. Axes: N sequences · P prompts · Q groups (N = Q × numGenerations) · T tokens of all sequences ·
 * TP tokens of all prompts · B trained examples · D drops · `NAME+1` one more. An axis has one size in a record.
 *
 * A text column NAME is two tensors: `NAME` U8, the texts in UTF-8 one after the other, and `NAME.offsets` I64 [rows+1],
 * where each begins and the last ends.
 *
 * A column that batches read in parts has `COLUMN.sha256` U8 [N, 32] beside it: the SHA-256 of each sequence's bytes.
 */
import type { Dtype } from '../format/dtypes.ts';

export interface ArraySpec {
  dtype: Dtype;
  /** names of axes, or sizes */
  axes: readonly (string | number)[];
  optional?: true;
  /** the axis whose size is the sum of this tensor's elements */
  sumsTo?: string;
  about: string;
}

interface TextSpec {
  /** axis of its rows */
  texts: string;
  optional?: true;
  about: string;
}

export type TensorSpec = ArraySpec | TextSpec;

export interface RecordTensors {
  tensors: Readonly<Record<string, TensorSpec>>;
  /** named `REWARD.NAME`, for each reward of the record */
  perReward?: Readonly<Record<string, TensorSpec>>;
}

const DIGEST_BYTES = 32;

const flat = (dtype: Dtype, axis: string, about: string): ArraySpec => ({ dtype, axes: [axis], about });
const lengths = (axis: string, sumsTo: string, about: string): ArraySpec => ({
  ...flat('I32', axis, about),
  sumsTo,
});
const texts = (axis: string, about: string): TextSpec => ({ texts: axis, about });
const digests = (axis: string, about: string): ArraySpec => ({
  dtype: 'U8',
  axes: [axis, DIGEST_BYTES],
  about,
});
const optional = <Spec extends TensorSpec>(spec: Spec): Spec => ({ ...spec, optional: true });

const prompts = {
  promptTokens: flat('I32', 'TP', 'token ids of all prompts'),
  promptLengths: lengths('P', 'TP', 'tokens of each prompt'),
};
const promptsOfSequences = {
  promptTokens: flat('I32', 'TP', 'token ids of the prompt of each sequence'),
  promptLengths: lengths('N', 'TP', 'tokens of the prompt of each sequence'),
};
const completions = {
  completionTokens: flat('I32', 'T', 'token ids of all completions, as sampled'),
  completionLengths: lengths('N', 'T', 'tokens of each completion, the end token among them'),
};
const sha256Of = (column: string) => digests('N', `SHA-256 of each sequence's bytes of ${column}`);

/** States of a verdict: `STATES.indexOf(state)` is stored. */
export const VERDICT_STATES = ['score', 'absent', 'error'] as const;
/** States of an optional text. */
export const TEXT_STATES = ['unknown', 'null', 'text'] as const;
/** States of a completion's chain of thought. */
export const THINKING_STATES = ['none', 'present', 'empty'] as const;
/** Why a completion was left out of a batch. */
export const DROP_REASONS = ['error', 'group-too-small', 'filtered'] as const;

const verdicts = {
  score: flat('F64', 'N', 'the score; 0 where the state is not `score`'),
  state: flat('U8', 'N', `0 … 2: ${VERDICT_STATES.join(', ')}`),
  errorKind: optional(texts('N', 'kind of the error; empty without one')),
  errorMessage: optional(texts('N', 'message of the error; empty without one')),
};
const thinking = flat('U8', 'N', `chain of thought, 0 … 2: ${THINKING_STATES.join(', ')} or repetitive`);
const truncated = flat('I32', 'N', '1: cut by the length limit');

export type RecordKind =
  | 'sample-request'
  | 'rollout'
  | 'scores'
  | 'texts'
  | 'logprobs'
  | 'rollout-index'
  | 'batch'
  | 'supervised-batch'
  | 'sequences'
  | 'model-scores';

export const recordTensors: Readonly<Record<RecordKind, RecordTensors>> = {
  'sample-request': {
    tensors: {
      ...prompts,
      seeds: flat('I64', 'N', 'the 64 bits of each sequence’s seed, which is unsigned'),
      slots: flat('I32', 'P', 'slot of the rollout; seeds depend on it'),
      prompts: digests('P', 'the prompt’s hash'),
      problems: texts('P', 'the problem'),
      answers: texts('P', 'the answer that verifiers compare with'),
      domains: texts('P', 'the domain'),
      prefills: texts(
        'P',
        'start of the answer that the prompt already contains, such as `<think>`; empty without one',
      ),
    },
  },
  rollout: {
    tensors: {
      ...completions,
      logprobs: flat('F32', 'T', 'log-probability of each token by the sampler'),
      truncated,
      'completionTokens.sha256': sha256Of('completionTokens'),
      'logprobs.sha256': sha256Of('logprobs'),
    },
  },
  scores: {
    tensors: {
      completionLengths: flat('I32', 'N', 'tokens of each completion'),
      truncated,
      thinking,
    },
    perReward: {
      ...verdicts,
      extracted: optional(texts('N', 'the answer that was judged')),
      'extracted.state': optional(flat('U8', 'N', `0 … 2: ${TEXT_STATES.join(', ')}`)),
      value: optional(texts('N', 'the same text for answers of equal value')),
      'value.state': optional(flat('U8', 'N', `0 … 2: ${TEXT_STATES.join(', ')}`)),
    },
  },
  texts: { tensors: { texts: texts('N', 'completions as text, the prefill of their prompts included') } },
  logprobs: {
    tensors: {
      old: optional(flat('F32', 'T', 'by the policy before training')),
      reference: optional(flat('F32', 'T', 'by the reference policy')),
      'old.sha256': optional(sha256Of('old')),
      'reference.sha256': optional(sha256Of('reference')),
    },
  },
  'rollout-index': {
    tensors: {
      shardOfGroup: flat('I32', 'Q', 'the shard of each group, as its position in the list of shards'),
      groupInShard: flat('I32', 'Q', 'the position of each group in its shard'),
      slots: flat('I32', 'Q', 'slot of the group’s prompt'),
      prompts: digests('Q', 'hash of the group’s prompt'),
      completionLengths: flat('I32', 'N', 'tokens of each completion'),
      tokenOffsets: flat('I64', 'N', 'where its tokens begin in its shard’s tensors'),
      truncated,
    },
    perReward: verdicts,
  },
  batch: {
    tensors: {
      ...promptsOfSequences,
      ...completions,
      advantages: flat('F32', 'N', 'advantage of each sequence'),
      lossWeights: flat('F32', 'N', 'weight of every token of each sequence'),
      samplerLogprobs: flat('F32', 'T', 'by the sampler'),
      oldLogprobs: optional(flat('F32', 'T', 'by the policy that sampled; present unless `old` is `own`')),
      referenceLogprobs: optional(flat('F32', 'T', 'by the reference; present unless beta is 0')),
      sequences: flat('I32', 'N', 'index of each sequence in the rollout'),
      dropSequences: flat('I32', 'D', 'index in the rollout of each completion that is left out'),
      dropReasons: flat('U8', 'D', `0 … 2: ${DROP_REASONS.join(', ')}`),
      dropMessages: texts('D', 'why it is left out'),
      tokenWeights: optional(flat('F32', 'T', 'a further factor of each token’s weight')),
      teacherLogprobs: optional(flat('F32', 'T', 'by a teacher, for distillation')),
      routedExperts: optional({
        dtype: 'I32',
        axes: ['T', 'layers', 'experts'],
        about: 'experts that the sampler routed each token to',
      }),
    },
  },
  'supervised-batch': {
    tensors: {
      ...promptsOfSequences,
      ...completions,
      ordinals: flat('I32', 'B', 'indices of the trained examples in the data'),
      lossWeights: flat('F32', 'N', 'weight of every token of each sequence; for a reward model unused'),
      labels: optional(flat('F32', 'N', 'for `pointwise`: 1 safe, 0 unsafe')),
    },
  },
  sequences: {
    tensors: {
      tokens: flat('I32', 'T', 'token ids of all sequences'),
      lengths: lengths('N', 'T', 'tokens of each sequence'),
    },
  },
  'model-scores': {
    tensors: {
      scores: flat('F32', 'N', 'output of the model at each sequence’s last token; 0 where it is too long'),
      tooLong: flat('U8', 'N', '1: longer than the model’s positions'),
    },
  },
};

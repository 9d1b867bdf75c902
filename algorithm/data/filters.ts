/**
 * Rejection sampling: which completions become training data, and why the others do not (DeepSeek-R1, sections
 * 2.3.1 and 2.3.3). The rule has the thresholds; results of verifiers are passed in as rewards and measures.
 */
import {
  type RejectionReason,
  rejectionReasons,
  type SampleCounts,
  type SampleVerdict,
  type SelectionRule,
} from '../../contracts/datasets.ts';
import { Failure } from '../../contracts/failures.ts';
import { permutation } from '../random/seeds.ts';
import { isNearDuplicate, type Shingles, shinglesOf } from './near-duplicates.ts';
import { partsOf } from './response-parts.ts';
import { repeatedShare, termHashes } from './term-hashes.ts';

/** A completion with the facts that the rules read. */
export interface CandidateSample {
  /** hash of the prompt that it answers */
  prompt: string;
  problem: string;
  domain: string;
  text: string;
  /** as sampled */
  tokens: number;
  /** cut by the length limit */
  truncated: boolean;
  /** by the rewards' names */
  rewards: Record<string, SampleVerdict>;
}

/** Functions that need data from outside of `algorithm/`. */
export interface Measures {
  /** whether a problem overlaps one that is evaluated on */
  isContaminated(problem: string): boolean;
  /** the text in the target form; null where it cannot be brought into it */
  rewrite(sample: CandidateSample): string | null;
}

interface Context {
  rule: SelectionRule;
  measures: Measures;
  /** shingles of the samples of the same prompt that were kept so far */
  kept: readonly Shingles[];
  terms(): Uint32Array;
  shingles(): Shingles;
}

/** Terms in the runs by which repetition is measured. */
const REPETITION_RUN = 6;

/** Whether a sample is rejected. The filters run in their order: each may assume that those before it passed. */
type Refuses = (sample: CandidateSample, context: Context) => boolean;

const filters: Record<RejectionReason, Refuses> = {
  // An error of a verifier is neither right nor wrong, so it is not trained on.
  error: ({ rewards }, { rule }) => rewardsNeeded(rule).some((name) => 'error' in verdictOf(rewards, name)),
  incorrect: (sample, { rule }) => !isCorrect(sample, rule),
  truncated: ({ truncated }, { rule }) => rule.refuse_truncated && truncated,
  'too-long': ({ tokens }, { rule }) => tokens > (rule.max_tokens ?? Number.POSITIVE_INFINITY),
  format: (sample, { rule, measures }) =>
    (rule.format === 'required' && scoreOf(sample.rewards, 'format') < 1) ||
    measures.rewrite(sample) === null,
  'empty-thinking': ({ text }, { rule }) => !hasWords(partsOf(text)?.thinking ?? '', rule.min_thinking_words),
  'mixed-language': ({ rewards }, { rule }) =>
    rule.min_language_share !== null && scoreOf(rewards, 'language') < rule.min_language_share,
  'long-paragraph': ({ text }, { rule }) =>
    rule.max_paragraph !== null && longestParagraph(text) > rule.max_paragraph,
  'code-block': ({ text, domain }, { rule }) =>
    rule.code_blocks_in !== null &&
    !rule.code_blocks_in.includes(domain) &&
    /^[^\S\r\n\u2028\u2029]*(?:```|~~~)/m.test(text),
  repetition: (_, { rule, terms }) =>
    rule.max_repeated_share !== null && repeatedShare(terms(), REPETITION_RUN) > rule.max_repeated_share,
  contaminated: ({ problem }, { rule, measures }) => rule.decontaminate && measures.isContaminated(problem),
  'near-duplicate': (_, { rule, kept, shingles }) =>
    rule.near_duplicate !== null && isNearDuplicate(shingles(), kept, rule.near_duplicate.similarity),
  'over-quota': (_, { rule, kept }) => kept.length >= (rule.per_prompt ?? Number.POSITIVE_INFINITY),
};

/** Rewards without whose verdict the rule cannot be applied. */
export function rewardsNeeded(rule: SelectionRule): string[] {
  return [
    'accuracy',
    ...(rule.format === 'required' ? ['format'] : []),
    ...(rule.min_language_share === null ? [] : ['language']),
  ];
}

/** The result for each sample, in their order: the reason of its rejection, or null and the text to train on. */
export type Selected = { reason: RejectionReason; text: null } | { reason: null; text: string };

/**
 * Applies the rule. Samples of a prompt are checked in an order that the seed decides: which of two near-duplicates
 * stays, and which samples fill the quota, does not depend on their position.
 * Axes: N samples, those of one prompt anywhere among them.
 */
export function selectSamples(
  samplesN: readonly CandidateSample[],
  rule: SelectionRule,
  { measures, seed }: { measures: Measures; seed: bigint },
): Selected[] {
  const keptOf = new Map<string, Shingles[]>();
  const selectedN = new Array<Selected>(samplesN.length);
  for (const n of permutation(seed, samplesN.length)) {
    const sample = samplesN[n];
    if (sample === undefined) continue;
    const kept = keptOf.get(sample.prompt) ?? [];
    keptOf.set(sample.prompt, kept);
    const terms = once(() => termHashes(sample.text));
    const shingles = once(() =>
      rule.near_duplicate === null
        ? new Uint32Array()
        : shinglesOf(
            sample.text,
            rule.near_duplicate,
            rule.near_duplicate.unit === 'words' ? terms() : undefined,
          ),
    );
    const reason = firstReason(sample, { rule, measures, kept, terms, shingles });
    if (reason === null) kept.push(shingles());
    selectedN[n] =
      reason === null ? { reason, text: measures.rewrite(sample) ?? sample.text } : { reason, text: null };
  }
  return selectedN;
}

function firstReason(sample: CandidateSample, context: Context): RejectionReason | null {
  return rejectionReasons.find((reason) => filters[reason](sample, context)) ?? null;
}

/** How many went which way. */
export function countSelected(
  samplesN: readonly CandidateSample[],
  selectedN: readonly Selected[],
  rule: SelectionRule,
): SampleCounts {
  const rejected: SampleCounts['rejected'] = {};
  for (const { reason } of selectedN) if (reason !== null) rejected[reason] = (rejected[reason] ?? 0) + 1;
  return {
    sampled: samplesN.length,
    correct: samplesN.filter((sample) => isCorrect(sample, rule)).length,
    kept: selectedN.filter(({ reason }) => reason === null).length,
    rejected,
  };
}

/** Counts of several parts together. */
export function sumCounts(parts: readonly SampleCounts[]): SampleCounts {
  const total: SampleCounts = { sampled: 0, correct: 0, kept: 0, rejected: {} };
  for (const { sampled, correct, kept, rejected } of parts) {
    total.sampled += sampled;
    total.correct += correct;
    total.kept += kept;
    for (const reason of rejectionReasons) {
      const count = (total.rejected[reason] ?? 0) + (rejected[reason] ?? 0);
      if (count > 0) total.rejected[reason] = count;
    }
  }
  return total;
}

function isCorrect({ rewards }: CandidateSample, rule: SelectionRule): boolean {
  const verdict = verdictOf(rewards, 'accuracy');
  return 'score' in verdict && verdict.score >= rule.min_accuracy;
}

function verdictOf(rewards: CandidateSample['rewards'], name: string): SampleVerdict {
  const verdict = rewards[name];
  if (verdict !== undefined) return verdict;
  throw new Failure(
    'InvalidInput',
    `selection: expected a verdict of the reward ${name}, found only ${Object.keys(rewards).join(', ') || 'none'}. ` +
      'Score the samples with it, or leave out the rule that needs it.',
  );
}

function scoreOf(rewards: CandidateSample['rewards'], name: string): number {
  const verdict = verdictOf(rewards, name);
  return 'score' in verdict ? verdict.score : 0;
}

/** Whether a text has at least `least` words. */
function hasWords(text: string, least: number): boolean {
  const word = /\S+/g;
  for (let found = 0; found < least; found++) if (!word.test(text)) return false;
  return true;
}

/** Characters of the longest stretch between two blank lines. */
const longestParagraph = (text: string) =>
  text.split(/\n\s*\n/).reduce((longest, { length }) => Math.max(longest, length), 0);

function once<Value>(compute: () => Value): () => Value {
  let kept: { value: Value } | null = null;
  return () => {
    kept ??= { value: compute() };
    return kept.value;
  };
}

/**
 * Keeps what a policy is measured on out of what it learns from: texts that share a run of ten words with an
 * evaluation's problem are told (DeepSeek-R1, supplementary information, "Decontamination").
 */
import { normalizeProblem } from './prompt-row.ts';

/** Words in a run. */
export const DECONTAMINATION_NGRAM = 10;

/** The evaluations' texts, as they are looked for. */
export interface EvaluationIndex {
  ngramSize: number;
  /** runs of `ngramSize` words */
  ngrams: ReadonlySet<string>;
  /** texts too short for a run, whole */
  shortTexts: ReadonlySet<string>;
}

const WORD = /[\p{L}\p{M}\p{N}]+/gu;

const wordsOf = (text: string) => text.normalize('NFKC').toLowerCase().match(WORD) ?? [];
const wholeOf = (text: string) => normalizeProblem(text).toLowerCase();

/** Reads the texts that must not be learned: problems, and reference solutions where there are. */
export function indexEvaluations(
  texts: Iterable<string>,
  ngramSize: number = DECONTAMINATION_NGRAM,
): EvaluationIndex {
  const ngrams = new Set<string>();
  const shortTexts = new Set<string>();
  for (const text of texts) {
    const words = wordsOf(text);
    for (const ngram of runsOf(words, ngramSize)) ngrams.add(ngram);
    if (words.length < ngramSize) shortTexts.add(wholeOf(text));
  }
  return { ngramSize, ngrams, shortTexts };
}

/**
 * The first run of words that a text shares with an evaluation; null where it shares none. An evaluation's
 * text that is shorter than a run is shared only by a text that equals it, white space and case aside.
 */
export function sharedWithEvaluation(index: EvaluationIndex, text: string): string | null {
  const whole = wholeOf(text);
  if (index.shortTexts.has(whole)) return whole;
  for (const ngram of runsOf(wordsOf(text), index.ngramSize)) if (index.ngrams.has(ngram)) return ngram;
  return null;
}

function* runsOf(words: readonly string[], size: number): Generator<string> {
  for (let start = 0; start + size <= words.length; start++) yield words.slice(start, start + size).join(' ');
}

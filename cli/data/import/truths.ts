/** Normalises ground truths and refuses those that no answer can equal. */
import { judgedDomains } from '../../../rewards/domains.ts';
import { extractTruth } from '../../../rewards/math/extract/extraction.ts';
import { RefusedRow } from './layout.ts';

export const MATH = 'math';

const OTHER_NAMES: Record<string, string> = {
  maths: MATH,
  mathematics: MATH,
  mathematical: MATH,
  coding: 'code',
  programming: 'code',
  multiple_choice: 'multiple-choice',
};

/** The domain under the name of its verifier, in any case; unknown domains stay as they are. */
export function domainNamed(name: string): string {
  const [family = '', ...parts] = name.trim().split('/');
  const lower = family.trim().toLowerCase();
  const known = OTHER_NAMES[lower] ?? (judgedDomains.includes(lower) ? lower : family);
  return [known, ...parts].join('/');
}

const isMath = (domain: string) => domain.split('/')[0] === MATH;

/** Placeholders that no verifier can decide. */
const UNDECIDABLE =
  /^(?:proof|not ?found|n\/?a|none|unknown|-|\?|q\.?e\.?d\.?|proved|proven|\\(?:black)?square|□|∎)$/i;

export const isUndecidable = (answer: string) =>
  UNDECIDABLE.test(
    answer
      .slice(0, 100)
      .replace(/\\(?:text|mathrm|mbox)\b|[${}]/g, '')
      .trim(),
  );

const BOX = /\\f?box(?:ed)?\b/;
/** Phrases and symbols that introduce an answer. */
const SAYS_ANSWER = /####|(?:answer|result)\s*(?:is|:|=)|final answer|答案[是为：:]|答えは|정답은/i;
/** Words of proofs. */
const PROVES =
  /\b(?:since|because|hence|thus|therefore|suppose|assume|let|prove[dns]?|proof|shown|contradiction|contradicts|induction|claim|w\.?l\.?o\.?g|q\.?e\.?d|as (?:desired|required))\b|\\blacksquare|\\square|[□∎]|证明|證明|证毕|證畢|所以|因为|因為|矛盾|ゆえに|よって|証明/i;
/** Formulas, which are not counted as words. */
const FORMULA = /\$[^$]{0,500}\$|\\\([^)]{0,500}\\\)|\\[a-zA-Z]+|[a-zA-Z]?\^\S*/g;

/** Words outside formulas; two Han characters count as one word. */
function wordsIn(text: string): number {
  const prose = text.replace(FORMULA, ' ');
  const han = prose.match(/\p{Script=Han}/gu)?.length ?? 0;
  return (prose.match(/\p{L}{2,}/gu)?.filter((word) => !/\p{Script=Han}/u.test(word)).length ?? 0) + han / 2;
}

const isSentences = (text: string) => /[.!?]\s+\S|[。！？]\s*\S|\n\s*\n/.test(text);

/** A text with more words is not a bare answer. */
const WORDS_OF_ANSWER = 5;
/** A text with this many words that begins with, or contains, a word of proofs is a proof. */
const WORDS_OF_PROOF = { beginning: 4, within: 10 };

function isProof(text: string): boolean {
  const start = text.search(PROVES);
  if (start < 0) return false;
  const words = wordsIn(text);
  const begins = text.slice(0, start).trim() === '';
  return isSentences(text) || words >= (begins ? WORDS_OF_PROOF.beginning : WORDS_OF_PROOF.within);
}

/**
 * Refuses a proof where an answer is expected: any of its numbers, or nothing at all, would equal it. Only mathematics
 * extracts answers from prose.
 */
export function refuseProof(answer: string, field: string, domain: string): string {
  if (!isMath(domain) || BOX.test(answer) || SAYS_ANSWER.test(answer) || !isProof(answer)) return answer;
  throw new RefusedRow(field, 'expected an answer, found a proof');
}

/** The answer at the end of a worked solution, boxed or stated; or the whole text where it is a bare answer. */
export function answerOfSolution(solution: string, field: string): string {
  const answer = saidIn(solution);
  if (answer !== null && !isUndecidable(answer)) return answer;
  throw new RefusedRow(field, 'expected a solution that ends in its answer (\\boxed{…}), found none in it');
}

/** The answer that a solution states; null where it states none. */
export function saidIn(solution: string): string | null {
  const text = solution.trim();
  if (text === '') return null;
  const says = BOX.test(text) || SAYS_ANSWER.test(text);
  if (!says && (isSentences(text) || PROVES.test(text) || wordsIn(text) > WORDS_OF_ANSWER)) return null;
  const [first] = extractTruth(text)?.readings ?? [];
  // an empty box states nothing; the whole solution was returned
  return first === undefined || (first === text && BOX.test(text)) ? null : first;
}

/** Ground truths as they are kept, and those that no answer can equal. */
import { judgedDomains } from '../../../rewards/domains.ts';
import { extractTruth } from '../../../rewards/math/extraction.ts';
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

/** A domain by the name of its rule, whatever its case; one that no rule is for stays as it is. */
export function domainNamed(name: string): string {
  const [family = '', ...parts] = name.trim().split('/');
  const lower = family.trim().toLowerCase();
  const known = OTHER_NAMES[lower] ?? (judgedDomains.includes(lower) ? lower : family);
  return [known, ...parts].join('/');
}

const isMath = (domain: string) => domain.split('/')[0] === MATH;

/** What no verifier can decide. */
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
/** Sentences and marks that lead to an answer. */
const SAYS_ANSWER = /####|(?:answer|result)\s*(?:is|:|=)|final answer|答案[是为：:]|答えは|정답은/i;
/** Words that prove and do not answer. */
const PROVES =
  /\b(?:since|because|hence|thus|therefore|suppose|assume|let|prove[dns]?|proof|shown|contradiction|contradicts|induction|claim|w\.?l\.?o\.?g|q\.?e\.?d|as (?:desired|required))\b|\\blacksquare|\\square|[□∎]|证明|證明|证毕|證畢|所以|因为|因為|矛盾|ゆえに|よって|証明/i;
/** Prose in signs of mathematics is none. */
const FORMULA = /\$[^$]{0,500}\$|\\\([^)]{0,500}\\\)|\\[a-zA-Z]+|[a-zA-Z]?\^\S*/g;

/** Words outside formulas; two letters of Han say about as much as one. */
function wordsIn(text: string): number {
  const prose = text.replace(FORMULA, ' ');
  const han = prose.match(/\p{Script=Han}/gu)?.length ?? 0;
  return (prose.match(/\p{L}{2,}/gu)?.filter((word) => !/\p{Script=Han}/u.test(word)).length ?? 0) + han / 2;
}

const isSentences = (text: string) => /[.!?]\s+\S|[。！？]\s*\S|\n\s*\n/.test(text);

/** So many words are no answer alone. */
const WORDS_OF_ANSWER = 5;
/** So many words that begin with a reason, or have one among them, are a proof. */
const WORDS_OF_PROOF = { beginning: 4, within: 10 };

function isProof(text: string): boolean {
  const place = text.search(PROVES);
  if (place < 0) return false;
  const words = wordsIn(text);
  const begins = text.slice(0, place).trim() === '';
  return isSentences(text) || words >= (begins ? WORDS_OF_PROOF.beginning : WORDS_OF_PROOF.within);
}

/**
 * Refuses a proof in place of an answer: it would be a ground truth that any of its numbers, or nothing at all,
 * equals. Only mathematics reads answers out of prose.
 */
export function refuseProof(answer: string, field: string, domain: string): string {
  if (!isMath(domain) || BOX.test(answer) || SAYS_ANSWER.test(answer) || !isProof(answer)) return answer;
  throw new RefusedRow(field, 'expected an answer, found a proof');
}

/** The answer that a worked solution ends in, boxed or said; or the solution, where it is an answer alone. */
export function answerOfSolution(solution: string, field: string): string {
  const answer = saidIn(solution);
  if (answer !== null && !isUndecidable(answer)) return answer;
  throw new RefusedRow(field, 'expected a solution that ends in its answer (\\boxed{…}), found none in it');
}

/** Null where a solution says no answer. */
export function saidIn(solution: string): string | null {
  const text = solution.trim();
  if (text === '') return null;
  const says = BOX.test(text) || SAYS_ANSWER.test(text);
  if (!says && (isSentences(text) || PROVES.test(text) || wordsIn(text) > WORDS_OF_ANSWER)) return null;
  const [first] = extractTruth(text)?.readings ?? [];
  // an empty box says nothing, and then the whole solution is read
  return first === undefined || (first === text && BOX.test(text)) ? null : first;
}

import { isNonAnswer } from '../answer-text.ts';
import { equalAnswers } from './compare/equality.ts';
import {
  attempt,
  equalReadings,
  type Failure,
  isFailure,
  type Reading,
  readingsOf,
} from './compare/readings.ts';
import { samplePoints } from './compare/sampling.ts';
import { shortened, valueKey } from './compare/value-key.ts';
import { type Extracted, extractAnswer, extractTruth } from './extract/extraction.ts';
import type { Candidate } from './extract/lead.ts';
import { bareText, normalise } from './extract/normalise.ts';
import { isProse } from './extract/passages.ts';
import {
  type Choice,
  choiceOf,
  plainWords,
  polarity,
  truthChoice,
  wholeNumberInWords,
  withoutQualifier,
  withoutWords,
  writtenChoice,
} from './extract/wording.ts';
import { StepBudget } from './limits.ts';
import { valueAt } from './numbers/numeric.ts';
import { isHead, variablesOf } from './parse/expression.ts';

type MathErrorKind = 'ground-truth';

/**
 * `extracted`: the answer as written; null where none was found. `value`, where requested: the same text for answers
 * of equal value to one ground truth; null for a response without an answer.
 */
export type MathVerdict =
  | { score: 0 | 1; extracted: string | null; value?: string | null }
  | { error: { kind: MathErrorKind; message: string } };

/** The text itself, then its value without the words around it. */
function alternatives(source: string): string[] {
  const value = withoutQualifier(source)?.value ?? withoutWords(source);
  const choice = writtenChoice(source);
  return [
    source,
    ...(value === null ? [] : [value]),
    ...(choice === null ? [] : [choice.value, choice.letter]),
  ];
}

interface Truth {
  texts: Set<string>;
  readings: Reading[];
  /** an option's letter and value: a response may give either, or both together */
  choice: (Choice & { readings: Reading[] }) | null;
  /** the kind of numbers that its qualifier names; null without a qualifier */
  kind: string | null;
  failure: Failure | null;
}

function readTruth(groundTruth: string): Truth {
  const texts = extractTruth(groundTruth)?.readings ?? [];
  const [main = ''] = texts;
  const choice = truthChoice(main);
  const qualified = withoutQualifier(main);
  const value = qualified?.value ?? wholeNumberInWords(main);
  const sources = choice
    ? [main, choice.value, choice.letter]
    : [...(value === null ? [] : [value]), ...texts];
  const read = sources.map(readingsOf);
  // The first reading that is mathematics is the truth; the rest are guesses.
  const readings = (choice ? read : read.filter(({ found }) => found.length > 0).slice(0, 1)).flatMap(
    ({ found }) => found,
  );
  return {
    texts: new Set(sources.map(bareText).filter((text) => text !== '')),
    readings,
    choice: choice && { ...choice, readings: read[1]?.found ?? [] },
    kind: qualified?.kind ?? null,
    failure: read[0]?.failure ?? null,
  };
}

/** Whether the ground truth alone exceeds the budget. If so, the answer did not cause the failed comparison. */
function tooCostly({ expression }: Reading): boolean {
  const steps = new StepBudget();
  const points = samplePoints(variablesOf(expression));
  return isFailure(attempt(() => points.map((point) => valueAt(expression, point, steps))));
}

/** 1 or 0; null where the ground truth cannot be compared. */
function compare(truth: Truth, source: string): 0 | 1 | null {
  if (truth.texts.has(bareText(source))) return 1;
  const word = polarity(source);
  if (word !== null && truth.texts.has(word)) return 1;
  const qualified = truth.kind === null ? null : withoutQualifier(source);
  // The answer's qualifier names another kind of numbers than the ground truth's.
  if (qualified !== null && qualified.kind !== truth.kind) return 0;
  for (const each of alternatives(source)) {
    const score = compareValue(truth.readings, each);
    if (score !== 0) return score;
  }
  return 0;
}

function compareValue(truths: readonly Reading[], source: string): 0 | 1 | null {
  const { found } = readingsOf(source);
  for (const reading of truths) {
    const equal = equalReadings(reading, found);
    if (equal === true) return 1;
    if (isFailure(equal) && tooCostly(reading)) return null;
  }
  return 0;
}

/** Compares an option's letter and value: both have to be right. Null where `source` is not such an option. */
function compareChoice({ choice }: Truth, source: string): 0 | 1 | null {
  const answer = choice && choiceOf(source);
  if (!answer) return null;
  if (answer.letter !== choice.letter) return 0;
  if (bareText(answer.value) === bareText(choice.value)) return 1;
  if (compareValue(choice.readings, answer.value) === 1) return 1;
  // `compare` reads values with words around them.
  return isProse(normalise(answer.value)) ? null : 0;
}

/** A rounded form, as `formsOf` writes it. */
const ROUNDED = /^≈ [-−]?\d{0,30}(?:\.(\d{1,30}))?$/;

/** Whether two forms are one value: they are equal, or `other` is `one` rounded to its digits. */
function agree(one: string, other: string): boolean {
  const [[a], [b]] = [readingsOf(one).found, readingsOf(other).found];
  if (a === undefined || b === undefined) return false;
  const steps = new StepBudget();
  if (attempt(() => equalAnswers(a.expression, b.expression, steps)) === true) return true;
  const values = attempt(() => [a, b].map(({ expression }) => valueAt(expression, new Map(), steps)));
  const places = ROUNDED.exec(other);
  const [x, y] = isFailure(values) ? [] : values;
  if (!x || !y || places === null) return false;
  return Math.abs(x.re - y.re) <= 0.51 * 10 ** -(places[1]?.length ?? 0) && x.im === y.im;
}

/** Whether all forms of a candidate agree; contradicting forms do not count as an answer. */
const isOneValue = ([one = '', ...others]: Candidate) => others.every((other) => agree(one, other));

const severalValues = ({ readings: [first] }: Truth) => {
  return first !== undefined && isHead(first.expression, 'list', 'set', 'tuple', 'interval');
};

function groundTruthError(message: string): MathVerdict {
  return { error: { kind: 'ground-truth', message } };
}

/** The value of every right answer. */
const RIGHT = 'the ground truth';

/**
 * 1 where a response's final answer equals the ground truth, else 0; a pure function of the two texts. An answer that
 * cannot be parsed or exceeds `limits` scores 0. A ground truth that cannot be parsed or exceeds them is an error,
 * unless the answer is the same text.
 */
export function verifyMath(groundTruth: string, response: string): MathVerdict {
  return judge(groundTruth, response).verdict;
}

/** The same verdict with the answer's value. */
export function verifyValue(groundTruth: string, response: string): MathVerdict {
  const { verdict, value } = judge(groundTruth, response);
  return 'error' in verdict ? verdict : { ...verdict, value: verdict.score === 1 ? RIGHT : value() };
}

interface Judged {
  verdict: MathVerdict;
  /** the value of an answer that is not right */
  value: () => string | null;
}

function judge(groundTruth: string, response: string): Judged {
  const truth = readTruth(groundTruth);
  const nothing = () => null;
  const failed = (message: string): Judged => ({ verdict: groundTruthError(message), value: nothing });
  if (truth.texts.size === 0) return failed('expected a ground truth, found nothing in it');
  const extracted = extractAnswer(response);
  const [[first = null] = []] = extracted?.candidates ?? [];
  const scored = (score: 0 | 1, source: string | null): Judged => ({
    verdict: { score, extracted: source },
    value: () => (source === null ? null : sourceValue(source)),
  });
  let decided: string | null = null;
  for (const candidate of candidatesOf(extracted, truth)) {
    if (!isOneValue(candidate)) break;
    for (const source of candidate) {
      const chosen = compareChoice(truth, source);
      if (chosen !== null) return scored(chosen, source);
      const score = compare(truth, source);
      if (score === 1) return scored(score, source);
      if (score === null) return failed('expected a ground truth within the budget of steps');
    }
    // A candidate that parses is the answer; later ones do not count.
    decided =
      candidate.find((source) =>
        readingsOf(source).found.some(({ expression }) => expression.kind !== 'text'),
      ) ?? null;
    if (truth.readings.length > 0 && decided !== null) break;
  }
  const { parts = [] } = extracted ?? {};
  if (parts.length > 0 && parts.every((part) => (compareChoice(truth, part) ?? compare(truth, part)) === 1))
    return scored(1, first);
  if (truth.readings.length > 0) return scored(0, decided ?? first);
  const found = JSON.stringify(groundTruth.slice(0, 200));
  return failed(`expected a ground truth that can be parsed, found ${found}: ${truth.failure?.message}`);
}

/** The value of an answer; null where the text says that it has none. */
function sourceValue(source: string): string | null {
  const word = polarity(source);
  if (word !== null) return word;
  const value = alternatives(source)[1] ?? source;
  const expression = readingsOf(value).found[0]?.expression;
  if (expression?.kind === 'text' && isNonAnswer(plainWords(value))) return null;
  const key =
    expression === undefined || expression.kind === 'text' ? null : attempt(() => valueKey(expression));
  return key === null || isFailure(key) ? shortened(bareText(value).toLowerCase()) : key;
}

/**
 * The candidates, best first. Where the ground truth has several values, all boxes that belong together come first.
 */
function* candidatesOf(extracted: Extracted | null, truth: Truth): Generator<Candidate> {
  if (extracted === null) return;
  const { candidates, more, together } = extracted;
  if (together !== undefined && severalValues(truth)) yield [together];
  yield* candidates;
  if (more !== undefined) yield* more();
}

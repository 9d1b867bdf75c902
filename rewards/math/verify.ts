import { saysNothing } from '../answer-text.ts';
import { equalAnswers } from './equality.ts';
import { isHead, variablesOf } from './expression.ts';
import { type Extracted, extractAnswer, extractTruth } from './extraction.ts';
import type { Reading as Place } from './lead.ts';
import { StepBudget } from './limits.ts';
import { bareText, normalise } from './normalise.ts';
import { valueAt } from './numeric.ts';
import { isProse } from './passages.ts';
import { attempt, equalReadings, type Failure, isFailure, type Reading, readingsOf } from './readings.ts';
import { samplePoints } from './sampling.ts';
import { shortened, valueKey } from './value-key.ts';
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
} from './wording.ts';

type MathErrorKind = 'ground-truth';

/**
 * `extracted`: the answer that was found, as it stood; null where there was none. `value`, where it is asked for:
 * the same text in answers of equal value to one ground truth; null of a response that answers nothing.
 */
export type MathVerdict =
  | { score: 0 | 1; extracted: string | null; value?: string | null }
  | { error: { kind: MathErrorKind; message: string } };

/** A text, and its value without the words around it. */
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
  /** a letter with its value: a response may give either, or both as they stand here */
  choice: (Choice & { readings: Reading[] }) | null;
  /** of its qualifier; null where it has none */
  kind: string | null;
  failure: Failure | null;
}

function readTruth(groundTruth: string): Truth {
  const places = extractTruth(groundTruth)?.readings ?? [];
  const [main = ''] = places;
  const choice = truthChoice(main);
  const qualified = withoutQualifier(main);
  const value = qualified?.value ?? wholeNumberInWords(main);
  const sources = choice
    ? [main, choice.value, choice.letter]
    : [...(value === null ? [] : [value]), ...places];
  const read = sources.map(readingsOf);
  // The first reading that is mathematics is the truth; the rest are guesses.
  const readings = (choice ? read : read.filter(({ found }) => found.length > 0).slice(0, 1)).flatMap(
    ({ found }) => found,
  );
  const texts = new Set(sources.map(bareText).filter((text) => text !== ''));
  return {
    texts,
    readings,
    choice: choice && { ...choice, readings: read[1]?.found ?? [] },
    kind: qualified?.kind ?? null,
    failure: read[0]?.failure ?? null,
  };
}

/** Whether the ground truth by itself fits the budget: else a comparison's end is its fault. */
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
  // Letters said to be other numbers than in the ground truth.
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

/** A choice that names a letter and a value: both have to be right. Null where it is no such choice. */
function compareChoice({ choice }: Truth, source: string): 0 | 1 | null {
  const answer = choice && choiceOf(source);
  if (!answer) return null;
  if (answer.letter !== choice.letter) return 0;
  if (bareText(answer.value) === bareText(choice.value)) return 1;
  if (compareValue(choice.readings, answer.value) === 1) return 1;
  // Words around the value are read elsewhere.
  return isProse(normalise(answer.value)) ? null : 0;
}

/** A number that another is rounded to. */
const ROUNDED = /^≈ [-−]?\d{0,30}(?:\.(\d{1,30}))?$/;

/** Whether two forms say one value: equal, or the other is the one rounded to the digits that it has. */
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

/** Forms of one value that contradict each other are no answer. */
const isOneValue = ([one = '', ...others]: Place) => others.every((other) => agree(one, other));

const severalValues = ({ readings: [first] }: Truth) => {
  return first !== undefined && isHead(first.expression, 'list', 'set', 'tuple', 'interval');
};

function groundTruthError(message: string): MathVerdict {
  return { error: { kind: 'ground-truth', message } };
}

/** What right answers have in common, however they are written. */
const RIGHT = 'the ground truth';

/**
 * Whether a response's final answer equals the ground truth: 1 or 0, decided by the two texts alone. An
 * answer that cannot be parsed or is over `limits` scores 0. A ground truth that cannot be parsed or is
 * over them is an error, unless the answer is the same text.
 */
export function verifyMath(groundTruth: string, response: string): MathVerdict {
  return judge(groundTruth, response).verdict;
}

/** The same with the answer's value. */
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
  const [[first = null] = []] = extracted?.readings ?? [];
  const scored = (score: 0 | 1, source: string | null): Judged => ({
    verdict: { score, extracted: source },
    value: () => (source === null ? null : sourceValue(source)),
  });
  let decided: string | null = null;
  for (const place of placesOf(extracted, truth)) {
    if (!isOneValue(place)) break;
    for (const source of place) {
      const chosen = compareChoice(truth, source);
      if (chosen !== null) return scored(chosen, source);
      const score = compare(truth, source);
      if (score === 1) return scored(score, source);
      if (score === null) return failed('expected a ground truth within the budget of steps');
    }
    // A place that parses is the answer; what else could be read there does not count.
    decided =
      place.find((source) => readingsOf(source).found.some(({ expression }) => expression.kind !== 'text')) ??
      null;
    if (truth.readings.length > 0 && decided !== null) break;
  }
  const { parts = [] } = extracted ?? {};
  if (parts.length > 0 && parts.every((part) => (compareChoice(truth, part) ?? compare(truth, part)) === 1))
    return scored(1, first);
  if (truth.readings.length > 0) return scored(0, decided ?? first);
  const found = JSON.stringify(groundTruth.slice(0, 200));
  return failed(`expected a ground truth that can be parsed, found ${found}: ${truth.failure?.message}`);
}

/** What an answer says; null where it says that there is none. */
function sourceValue(source: string): string | null {
  const word = polarity(source);
  if (word !== null) return word;
  const value = alternatives(source)[1] ?? source;
  const expression = readingsOf(value).found[0]?.expression;
  if (expression?.kind === 'text' && saysNothing(plainWords(value))) return null;
  const key =
    expression === undefined || expression.kind === 'text' ? null : attempt(() => valueKey(expression));
  return key === null || isFailure(key) ? shortened(bareText(value).toLowerCase()) : key;
}

/** The places to read, best first: where the ground truth has several values, all boxes that belong together. */
function* placesOf(extracted: Extracted | null, truth: Truth): Generator<Place> {
  if (extracted === null) return;
  const { readings, more, together } = extracted;
  if (together !== undefined && severalValues(truth)) yield [together];
  yield* readings;
  if (more !== undefined) yield* more();
}

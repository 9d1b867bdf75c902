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
import {
  type Choice,
  choiceOf,
  polarity,
  truthChoice,
  wholeNumberInWords,
  withoutQualifier,
  withoutWords,
  writtenChoice,
} from './wording.ts';

export type MathErrorKind = 'ground-truth';

/** `extracted`: the answer that was found, as it stood; null where there was none. */
export type MathVerdict =
  | { score: 0 | 1; extracted: string | null }
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

/**
 * Whether a response's final answer equals the ground truth: 1 or 0, decided by the two texts alone. An
 * answer that cannot be parsed or is over `limits` scores 0. A ground truth that cannot be parsed or is
 * over them is an error, unless the answer is the same text.
 */
export function verifyMath(groundTruth: string, response: string): MathVerdict {
  const truth = readTruth(groundTruth);
  if (truth.texts.size === 0) return groundTruthError('expected a ground truth, found nothing in it');
  const extracted = extractAnswer(response);
  const [[first = null] = []] = extracted?.readings ?? [];
  for (const place of placesOf(extracted, truth)) {
    if (!isOneValue(place)) break;
    for (const source of place) {
      const chosen = compareChoice(truth, source);
      if (chosen !== null) return { score: chosen, extracted: source };
      const score = compare(truth, source);
      if (score === 1) return { score, extracted: source };
      if (score === null) return groundTruthError('expected a ground truth within the budget of steps');
    }
    // A place that parses is the answer; what else could be read there does not count.
    const decided = place.some((source) =>
      readingsOf(source).found.some(({ expression }) => expression.kind !== 'text'),
    );
    if (truth.readings.length > 0 && decided) break;
  }
  const { parts = [] } = extracted ?? {};
  if (parts.length > 0 && parts.every((part) => (compareChoice(truth, part) ?? compare(truth, part)) === 1))
    return { score: 1, extracted: first };
  if (truth.readings.length > 0) return { score: 0, extracted: first };
  const found = JSON.stringify(groundTruth.slice(0, 200));
  return groundTruthError(
    `expected a ground truth that can be parsed, found ${found}: ${truth.failure?.message}`,
  );
}

/** The places to read, best first: where the ground truth has several values, all boxes that belong together. */
function* placesOf(extracted: Extracted | null, truth: Truth): Generator<Place> {
  if (extracted === null) return;
  const { readings, more, together } = extracted;
  if (together !== undefined && severalValues(truth)) yield [together];
  yield* readings;
  if (more !== undefined) yield* more();
}

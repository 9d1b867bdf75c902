import { variablesOf } from './expression.ts';
import { extractAnswer, extractTruth } from './extraction.ts';
import { StepBudget } from './limits.ts';
import { bareText } from './normalise.ts';
import { valueAt } from './numeric.ts';
import { attempt, equalReadings, type Failure, isFailure, type Reading, readingsOf } from './readings.ts';
import { samplePoints } from './sampling.ts';

export type MathErrorKind = 'ground-truth';

/** `extracted`: the answer that was found, as it stood; null where there was none. */
export type MathVerdict =
  | { score: 0 | 1; extracted: string | null }
  | { error: { kind: MathErrorKind; message: string } };

/** AMC style: \textbf{(B)}\ 11 is either part. */
const CHOICE =
  /^\\(?:text(?:bf|rm)?|mathrm|mathbf|rm|bf)\s*\{\s*\(?([A-H])\)?[.)]?[\s~\\]*\}[\s~\\:.]+(?=\S)(.+)$/s;

function alternatives(source: string): string[] {
  const [, letter, value] = CHOICE.exec(source.trim()) ?? [];
  return letter && value ? [source, value, letter] : [source];
}

interface Truth {
  texts: Set<string>;
  readings: Reading[];
  failure: Failure | null;
}

function readTruth(groundTruth: string): Truth {
  const sources = (extractTruth(groundTruth)?.readings ?? []).flatMap(alternatives);
  const read = sources.map(readingsOf);
  // The first reading that is mathematics is the truth; the rest are guesses.
  const readings = (
    CHOICE.test(sources[0] ?? '') ? read : read.filter(({ found }) => found.length > 0).slice(0, 1)
  ).flatMap(({ found }) => found);
  const texts = new Set(sources.map(bareText).filter((text) => text !== ''));
  return { texts, readings, failure: read[0]?.failure ?? null };
}

/** Whether the ground truth by itself fits the budget: else a comparison's end is its fault. */
function tooCostly({ expression }: Reading): boolean {
  const steps = new StepBudget();
  const points = samplePoints(variablesOf(expression));
  return isFailure(attempt(() => points.map((point) => valueAt(expression, point, steps))));
}

function groundTruthError(message: string): MathVerdict {
  return { error: { kind: 'ground-truth', message } };
}

/** 1 or 0; null where the ground truth cannot be compared. */
function compare(truth: Truth, source: string): 0 | 1 | null {
  if (truth.texts.has(bareText(source))) return 1;
  const { found } = readingsOf(source);
  for (const reading of truth.readings) {
    const equal = equalReadings(reading, found);
    if (equal === true) return 1;
    if (isFailure(equal) && tooCostly(reading)) return null;
  }
  return 0;
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
  const [first = null] = extracted?.readings ?? [];
  for (const place of extracted?.readings ?? []) {
    for (const source of alternatives(place)) {
      const score = compare(truth, source);
      if (score === 1) return { score, extracted: source };
      if (score === null) return groundTruthError('expected a ground truth within the budget of steps');
    }
    // A place that parses is the answer; what else could be read there does not count.
    const decided = readingsOf(place).found.some(({ expression }) => expression.kind !== 'text');
    if (truth.readings.length > 0 && decided) return { score: 0, extracted: place };
  }
  if (truth.readings.length > 0) return { score: 0, extracted: first };
  const found = JSON.stringify(groundTruth.slice(0, 200));
  return groundTruthError(
    `expected a ground truth that can be parsed, found ${found}: ${truth.failure?.message}`,
  );
}

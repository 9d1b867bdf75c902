import { equalAnswers } from './equality.ts';
import type { Expression } from './expression.ts';
import { variablesOf } from './expression.ts';
import { extractAnswer, extractTruth, isProse } from './extraction.ts';
import { parseAnswer } from './grammar.ts';
import { OverLimit, ParseFailure, StepBudget } from './limits.ts';
import { bareText, normalise } from './normalise.ts';
import { valueAt } from './numeric.ts';
import type { Commas } from './tokens.ts';
import { samplePoints } from './values.ts';

export type MathErrorKind = 'ground-truth';

/** `extracted`: the answer that was found, as it stood; null where there was none. */
export type MathVerdict =
  | { score: 0 | 1; extracted: string | null }
  | { error: { kind: MathErrorKind; message: string } };

const COMMA_READINGS: readonly Commas[] = ['thousands', 'separator', 'decimal'];

type Failure = OverLimit | ParseFailure;

/** What `run` returns, or why the input is no answer or over the limits. */
function attempt<T>(run: () => T): T | Failure {
  try {
    return run();
  } catch (error) {
    if (error instanceof OverLimit || error instanceof ParseFailure) return error;
    throw error;
  }
}

const isFailure = <T>(value: T | Failure): value is Failure =>
  value instanceof OverLimit || value instanceof ParseFailure;

/** AMC style: \textbf{(B)}\ 11 is either part. */
const CHOICE =
  /^\\(?:text(?:bf|rm)?|mathrm|mathbf|rm|bf)\s*\{\s*\(?([A-H])\)?[.)]?[\s~\\]*\}[\s~\\:.]+(?=\S)(.+)$/s;

function alternatives(source: string): string[] {
  const [, letter, value] = CHOICE.exec(source.trim()) ?? [];
  return letter && value ? [source, value, letter] : [source];
}

/** Every way to read one text: words, or mathematics with its commas as thousands, separators or decimals. */
function expressionsOf(source: string): { found: Expression[]; failure: Failure | null } {
  const text = normalise(source);
  if (isProse(text)) return { found: [{ kind: 'text', text: bareText(text) }], failure: null };
  const commas = /\d,\d/.test(text);
  const plain = !/[\\{($[]/.test(source);
  const readings = COMMA_READINGS.filter(
    (reading) => reading === 'thousands' || (commas && (reading !== 'decimal' || plain)),
  );
  const parsed = readings.map((reading) => attempt(() => parseAnswer(text, reading)));
  const found = parsed.flatMap((each) => (isFailure(each) ? [] : [each]));
  if (found.length > 0) return { found, failure: null };
  // A chain whose start is beyond the grammar, such as an integral, still has a value at its end.
  const last = text.split(/(?<![<>!\\])=/).at(-1) ?? text;
  const rest = last === text || /[,;]/.test(text) ? null : attempt(() => parseAnswer(last.trim()));
  if (rest !== null && !isFailure(rest)) return { found: [rest], failure: null };
  return { found: [], failure: parsed.find(isFailure) ?? null };
}

interface Truth {
  texts: Set<string>;
  expressions: Expression[];
  failure: Failure | null;
}

function readTruth(groundTruth: string): Truth {
  const sources = (extractTruth(groundTruth)?.readings ?? []).flatMap(alternatives);
  const read = sources.map(expressionsOf);
  // The first reading that is mathematics is the truth; the rest are guesses.
  const expressions = (
    CHOICE.test(sources[0] ?? '') ? read : read.filter(({ found }) => found.length > 0).slice(0, 1)
  ).flatMap(({ found }) => found);
  const texts = new Set(sources.map(bareText).filter((text) => text !== ''));
  return { texts, expressions, failure: read[0]?.failure ?? null };
}

/** Whether the ground truth by itself fits the budget: else a comparison's end is its fault. */
function tooCostly(expressions: Expression[]): boolean {
  return expressions.some((expression) => {
    const steps = new StepBudget();
    const points = samplePoints(variablesOf(expression));
    return isFailure(attempt(() => points.map((point) => valueAt(expression, point, steps))));
  });
}

function groundTruthError(message: string): MathVerdict {
  return { error: { kind: 'ground-truth', message } };
}

/** 1 or 0; null where the ground truth cannot be compared. */
function compare(truth: Truth, source: string): 0 | 1 | null {
  if (truth.texts.has(bareText(source))) return 1;
  const { found } = expressionsOf(source);
  for (const expected of truth.expressions) {
    for (const answer of found) {
      const equal = attempt(() => equalAnswers(expected, answer, new StepBudget()));
      if (equal === true) return 1;
      if (isFailure(equal) && tooCostly([expected])) return null;
    }
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
    const decided = expressionsOf(place).found.some(({ kind }) => kind !== 'text');
    if (truth.expressions.length > 0 && decided) return { score: 0, extracted: place };
  }
  if (truth.expressions.length > 0) return { score: 0, extracted: first };
  const found = JSON.stringify(groundTruth.slice(0, 200));
  return groundTruthError(
    `expected a ground truth that can be parsed, found ${found}: ${truth.failure?.message}`,
  );
}

import { bareText, normalise, withTouchingUnit } from '../extract/normalise.ts';
import { isProse } from '../extract/passages.ts';
import { OverLimit, ParseFailure, StepBudget } from '../limits.ts';
import { memoized } from '../memo.ts';
import type { Expression } from '../parse/expression.ts';
import { parseAnswer } from '../parse/grammar.ts';
import { type Commas, commasIn } from '../parse/tokens.ts';
import { equalAnswers } from './equality.ts';
import { bothNameUnits } from './quantities.ts';

export type Failure = OverLimit | ParseFailure;

/** The result of `run`, or the error where the input cannot be parsed or exceeds the limits. */
export function attempt<T>(run: () => T): T | Failure {
  try {
    return run();
  } catch (error) {
    if (error instanceof OverLimit || error instanceof ParseFailure) return error;
    throw error;
  }
}

export const isFailure = <T>(value: T | Failure): value is Failure =>
  value instanceof OverLimit || value instanceof ParseFailure;

/** One way to read a text. */
export interface Reading {
  expression: Expression;
  /** the meaning of its commas; null where only one is possible */
  commas: Commas | null;
  /** whether a letter that touches a number is read as a unit; then both sides must name one */
  touching: boolean;
}

export interface Read {
  found: Reading[];
  failure: Failure | null;
}

/**
 * All readings of a text: as words, or as mathematics by each meaning of its commas and of the letters after
 * numbers.
 */
export const readingsOf = memoized((source): Read => {
  const text = normalise(source);
  if (isProse(text)) {
    return {
      found: [{ expression: { kind: 'text', text: bareText(text) }, commas: null, touching: false }],
      failure: null,
    };
  }
  const commas = commasIn(text);
  const parsed = commas.map((each) => attempt(() => parseAnswer(text, each)));
  const found = parsed.flatMap((each, i) =>
    isFailure(each)
      ? []
      : [{ expression: each, commas: commas.length > 1 ? (commas[i] ?? null) : null, touching: false }],
  );
  if (found.length > 0) return { found: [...found, ...touchingReadings(text)], failure: null };
  // A chain whose start is beyond the grammar, such as an integral, still has a value at its end.
  const last = text.split(/(?<![<>!\\])=/).at(-1) ?? text;
  const rest = last === text || /[,;]/.test(text) ? null : attempt(() => parseAnswer(last.trim()));
  if (rest !== null && !isFailure(rest)) {
    return { found: [{ expression: rest, commas: null, touching: false }], failure: null };
  }
  return { found: [], failure: parsed.find(isFailure) ?? null };
});

/** The reading of 3m as three metres, if there is one. */
function touchingReadings(text: string): Reading[] {
  const wrapped = withTouchingUnit(text);
  const expression = wrapped === null ? null : attempt(() => parseAnswer(wrapped));
  return expression === null || isFailure(expression) ? [] : [{ expression, commas: null, touching: true }];
}

/** Whether two readings may be compared: commas mean the same, and a touching unit needs a unit on the other side. */
function fit(truth: Reading, answer: Reading): boolean {
  if (truth.commas !== null && answer.commas !== null && truth.commas !== answer.commas) return false;
  return !(truth.touching || answer.touching) || bothNameUnits(truth.expression, answer.expression);
}

/** Whether some reading of the answer equals the truth; the failure where the budget ended first. */
export function equalReadings(truth: Reading, answers: readonly Reading[]): boolean | Failure {
  let failure: Failure | null = null;
  for (const answer of answers) {
    if (!fit(truth, answer)) continue;
    const equal = attempt(() => equalAnswers(truth.expression, answer.expression, new StepBudget()));
    if (equal === true) return true;
    if (isFailure(equal)) failure ??= equal;
  }
  return failure ?? false;
}

/** Scorers that read numbers from the answer. */
import { z } from 'zod';
import { decimalEquals, parseDecimal, within } from './decimal.ts';
import { parseFloatText, parseInteger, strip } from './python-text.ts';
import type { Task } from './task.ts';
import { shareOf } from './text-tasks.ts';

/** `compute_decimal_reward`: the same number, ignoring thousands separators (`+01,000.00` is `1000`). */
export function decimalText(answer: string, oracle: string): number {
  if (answer === '') return 0;
  const [given, wanted] = [answer.replaceAll(',', ''), oracle.replaceAll(',', '')];
  const [a, b] = [parseDecimal(given), parseDecimal(wanted)];
  return a !== null && b !== null && decimalEquals(a, b) ? 1 : shareOf(wanted, given);
}

const PLACES = 3;

/** `decimal_arithmetic`: within one unit of the last place that the question's numbers have. */
export const decimalArithmetic: Task<{ difficulty?: { decimal_places?: [number, number] } }> = {
  metadata: z.object({
    difficulty: z
      .object({ decimal_places: z.tuple([z.int(), z.int().min(0).max(100)]).optional() })
      .optional(),
  }),
  score(answer, oracle, { difficulty }) {
    const [given, wanted] = [parseDecimal(answer), parseDecimal(oracle)];
    const [, places] = difficulty?.decimal_places ?? [PLACES, PLACES];
    return given !== null && wanted !== null && within(given, wanted, places) ? 1 : 0;
  },
};

/** Python's `\b-?\d+(?:\.\d+)?\b`, whose `\w` and `\d` match every script. */
const FIRST_NUMBER =
  /(?:(?<=[\p{L}\p{N}_])(?![\p{L}\p{N}_])|(?<![\p{L}\p{N}_])(?=[\p{L}\p{N}_]))-?\p{Nd}+(?:\.\p{Nd}+)?(?![\p{L}\p{N}_])/u;

/** `gsm_symbolic`: the first number in the text. */
export function firstNumber(answer: string, oracle: string): number {
  const [found] = FIRST_NUMBER.exec(answer) ?? [];
  const wanted = parseFloatText(oracle);
  if (found === undefined || wanted === null) return 0;
  return parseFloatText(found) === wanted ? 1 : 0.01;
}

const fractionMetadata = z.object({
  numerator: z.int(),
  denominator: z.int(),
  simplified_numerator: z.int(),
  simplified_denominator: z.int(),
});

/** `fraction_simplification`: exactly the simplified numerator and denominator, plain or in LaTeX. */
export const fractionSimplification: Task<z.infer<typeof fractionMetadata>> = {
  metadata: fractionMetadata,
  score(answer, _, truth) {
    const fraction = readFraction(answer);
    if (fraction === null) return 0.01;
    const [numerator, denominator] = fraction.map(Number);
    if (numerator === truth.simplified_numerator && denominator === truth.simplified_denominator) return 1;
    return numerator === truth.numerator || denominator === truth.denominator ? 0.1 : 0.05;
  },
};

const DOLLAR = new Set('$');
const LATEX = /^\\d?frac\s*\{\s*(\p{Nd}+)\s*\}\s*\{\s*(\p{Nd}+)\s*\}/iu;

function readFraction(answer: string): [bigint, bigint] | null {
  const text = strip(strip(strip(answer), DOLLAR));
  const slash = text.indexOf('/');
  const [, top, bottom] = LATEX.exec(text) ?? [null, text.slice(0, slash), text.slice(slash + 1)];
  if (slash < 0 && !LATEX.test(text)) return null;
  const numerator = parseInteger(top ?? '');
  const denominator = parseInteger(bottom ?? '');
  return numerator === null || denominator === null ? null : [numerator, denominator];
}

/** A solution that is off by d earns e^(−10d); each missing or extra solution costs 0.5. */
const DISTANCE_FACTOR = -10;
const PENALTY = 0.5;

/**
 * `polynomial_equations`: decimal solutions, separated by commas. Each one, in ascending order, is matched with the
 * nearest solution left. Text that is not a number is skipped, so any text without numbers is right for an equation
 * without solutions.
 */
export function solutions(answer: string, oracle: string): number {
  const left = numbersIn(oracle);
  const given = numbersIn(answer);
  if (left.length === 0 && given.length === 0) return 1;
  const distances = given.map((solution) => takeNearest(left, solution)).filter((d) => d !== null);
  const reward = distances.reduce((sum, distance) => sum + Math.exp(DISTANCE_FACTOR * distance), 0);
  const missingAndExtra = left.length + given.length - distances.length;
  return Math.max(0, reward / Math.max(1, distances.length) - PENALTY * missingAndExtra);
}

function numbersIn(text: string): number[] {
  return text
    .split(',')
    .map(parseFloatText)
    .filter((value) => value !== null)
    .sort((a, b) => a - b);
}

/** Removes the nearest solution and returns its distance; null where none is at a finite distance. */
function takeNearest(left: number[], solution: number): number | null {
  let nearest: { index: number; distance: number } | null = null;
  for (const [index, value] of left.entries()) {
    const distance = Math.abs(solution - value);
    if (distance < (nearest?.distance ?? Number.POSITIVE_INFINITY)) nearest = { index, distance };
  }
  if (nearest === null) return null;
  left.splice(nearest.index, 1);
  return nearest.distance;
}

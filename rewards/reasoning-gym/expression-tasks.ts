/** Scorers of tasks that ask for an arithmetic expression with a target value. */
import { z } from 'zod';
import { computeArithmetic } from '../logic/arithmetic.ts';
import { asNumber, truncated } from '../logic/arithmetic-values.ts';
import { strip } from './python-text.ts';
import type { Task } from './task.ts';

/**
 * The expression's value as SymPy computes it, for arithmetic operators only. Names, calls, comparisons and
 * everything else that `parse_expr` passes to Python's `eval` are not accepted here.
 */
function compute(answer: string) {
  const source = pythonLine(answer);
  if (source === null) return null;
  return computeArithmetic(source, {
    operators: ['+', '-', '*', '/', '//', '%', '**', '!'],
    decimals: true,
  });
}

/** The answer without comments, on one line; null for a line break outside brackets, or a character outside ASCII. */
function pythonLine(answer: string): string | null {
  const lines = strip(answer)
    .split('\n')
    .map((line) => line.replace(/#.*/, ''));
  let depth = 0;
  for (const [index, line] of lines.entries()) {
    depth += line.split('(').length - line.split(')').length;
    const last = lines.slice(index + 1).every((later) => later.trim() === '');
    if (depth <= 0 && !last) return null;
    if (last) break;
  }
  const source = lines.join(' ');
  return /[^\t\f -~]/.test(source) ? null : source;
}

/** The whole numbers in the text; `1.5` contains two. */
function literalsIn(answer: string): number[] {
  return (answer.match(/(?<![\p{L}\p{N}_])\d+(?![\p{L}\p{N}_])/gu) ?? []).map(Number);
}

const ascending = (numbers: readonly number[]) => [...numbers].sort((a, b) => a - b).join(' ');

const countdownMetadata = z.object({ numbers: z.array(z.number()), target: z.number() });

/** `countdown`: all numbers, each once, and |value − target| ≤ 1e-6 + 1e-5·|target| (`numpy.isclose`). */
export const countdown: Task<z.infer<typeof countdownMetadata>> = {
  metadata: countdownMetadata,
  score(answer, _, { numbers, target }) {
    const computed = compute(answer);
    if (computed === null) return 0.01;
    if (ascending(literalsIn(answer)) !== ascending(numbers)) return 0.05;
    const distance = Math.abs(asNumber(computed.value) - target);
    return distance <= 1e-6 + 1e-5 * Math.abs(target) ? 1 : 0.05;
  },
};

const puzzle24Metadata = z.object({
  difficulty: z.object({ value: z.tuple([z.number(), z.number()]).optional() }).optional(),
});
const VALUES: [number, number] = [1, 10];

/**
 * `puzzle24`: four numbers in the puzzle's range, in an expression whose integer part is 24. They need not be the
 * question's numbers; the verifier `puzzle24` in rewards/logic checks that.
 */
export const puzzle24: Task<z.infer<typeof puzzle24Metadata>> = {
  metadata: puzzle24Metadata,
  score(answer, _, { difficulty }) {
    const computed = compute(answer);
    const [least, most] = difficulty?.value ?? VALUES;
    const numbers = literalsIn(answer);
    if (computed === null || numbers.length !== 4) return 0.01;
    if (numbers.some((number) => number < least || number > most)) return 0.01;
    return truncated(computed.value) === 24n ? 1 : 0.01;
  },
};

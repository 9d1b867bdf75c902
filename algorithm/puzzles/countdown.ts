import type { Draws } from '../random/draws.ts';
import type { Difficulty, PuzzleGenerator } from './generate.ts';
import { add, divide, integer, multiply, type Rational, subtract } from './rational.ts';

interface Shape {
  numbers: number;
  largest: number;
  target: [number, number];
  operations: readonly Operation[];
}

type Operation = (a: Rational, b: Rational) => Rational | null;

const shapes: Record<Difficulty, Shape> = {
  1: { numbers: 3, largest: 20, target: [5, 99], operations: [add, subtract] },
  2: { numbers: 3, largest: 50, target: [10, 199], operations: [add, subtract, multiply] },
  3: { numbers: 4, largest: 50, target: [10, 499], operations: [add, subtract, multiply, divide] },
  4: { numbers: 5, largest: 99, target: [100, 999], operations: [add, subtract, multiply, divide] },
  5: { numbers: 6, largest: 99, target: [100, 999], operations: [add, subtract, multiply, divide] },
};

/** Countdown: reach a target with given numbers. Each has a solution that uses all of them. */
export const countdown: PuzzleGenerator = {
  domain: 'countdown',
  draw(difficulty, draws) {
    const shape = shapes[difficulty];
    const numbers = Array.from({ length: shape.numbers }, () => draws.integer(1, shape.largest));
    const target = drawTarget(numbers, shape, draws);
    if (target === null || numbers.includes(target)) return null;
    const problem =
      `Using the numbers ${numbers.join(', ')}, write an expression that equals ${target}. ` +
      'Use every number exactly once, and only +, -, *, / and parentheses.';
    const identity = `countdown ${[...numbers].sort((a, b) => a - b).join(' ')} = ${target}`;
    return { problem, truth: { numbers, target, useAll: true }, identity };
  },
};

/** The result of joining two random numbers at a time until one is left; null unless it is in range. */
function drawTarget(numbers: readonly number[], { target, operations }: Shape, draws: Draws): number | null {
  const left = numbers.map((number) => integer(number));
  while (left.length > 1) {
    const [a] = left.splice(draws.integer(0, left.length - 1), 1);
    const [b] = left.splice(draws.integer(0, left.length - 1), 1);
    const joined = a && b ? draws.among(operations)(a, b) : null;
    if (joined === null) return null;
    left.push(joined);
  }
  const [value] = left;
  if (value === undefined || value.d !== 1n) return null;
  const whole = Number(value.n);
  return whole >= target[0] && whole <= target[1] ? whole : null;
}

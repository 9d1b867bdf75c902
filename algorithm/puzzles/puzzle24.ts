import type { Difficulty, PuzzleGenerator } from './generate.ts';
import { add, divide, equals, integer, multiply, type Rational, subtract } from './rational.ts';

interface Shape {
  largest: number;
  /** kinds that its easiest solution may have */
  kinds: readonly Kind[];
}

type Kind = 'sums-and-products' | 'differences' | 'quotients' | 'fractions';

const shapes: Record<Difficulty, Shape> = {
  1: { largest: 6, kinds: ['sums-and-products'] },
  2: { largest: 10, kinds: ['sums-and-products', 'differences'] },
  3: { largest: 13, kinds: ['sums-and-products', 'differences', 'quotients'] },
  4: { largest: 13, kinds: ['differences', 'quotients'] },
  5: { largest: 13, kinds: ['quotients', 'fractions'] },
};

/** The 24-game: make 24 of four numbers. Each has a solution; harder ones need division, or fractions. */
export const puzzle24: PuzzleGenerator = {
  domain: 'puzzle24',
  draw(difficulty, draws) {
    const { largest, kinds } = shapes[difficulty];
    const numbers = Array.from({ length: 4 }, () => draws.integer(1, largest));
    const kind = easiestSolution(numbers);
    if (kind === null || !kinds.includes(kind)) return null;
    const problem =
      `Make 24 using the numbers ${numbers.join(', ')}. ` +
      'Use every number exactly once, and only +, -, *, / and parentheses.';
    return { problem, truth: { numbers }, identity: `24 ${[...numbers].sort((a, b) => a - b).join(' ')}` };
  },
};

type Operation = (a: Rational, b: Rational) => Rational | null;

/** A quotient that is a whole number. */
const quotient: Operation = (a, b) => {
  const value = divide(a, b);
  return value?.d === 1n ? value : null;
};

/** The operations of each kind of solution; each includes the one before. */
const operationsOf: Record<Kind, readonly Operation[]> = {
  'sums-and-products': [add, multiply],
  differences: [add, multiply, subtract],
  quotients: [add, multiply, subtract, quotient],
  fractions: [add, multiply, subtract, divide],
};

const KINDS = Object.keys(operationsOf) as Kind[];

/** The first kind of solution that makes 24 of the numbers; null where none does. */
export function easiestSolution(numbers: readonly number[]): Kind | null {
  const start = numbers.map((number) => integer(number));
  return KINDS.find((kind) => reaches24(start, operationsOf[kind])) ?? null;
}

/** Joins every two of the numbers in every way until one number is left. */
function reaches24(numbers: readonly Rational[], operations: readonly Operation[]): boolean {
  const [only] = numbers;
  if (numbers.length === 1) return only !== undefined && equals(only, integer(24));
  return numbers.some((a, i) =>
    numbers.some((b, j) => {
      if (i === j) return false;
      const rest = numbers.filter((_, index) => index !== i && index !== j);
      return operations.some((operation) => {
        const joined = operation(a, b);
        return joined !== null && reaches24([...rest, joined], operations);
      });
    }),
  );
}

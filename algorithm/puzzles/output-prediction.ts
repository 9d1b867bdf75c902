import type { Draws } from '../random/draws.ts';
import type { Difficulty, PuzzleGenerator } from './generate.ts';

interface Shape {
  /** numbers in the list, and the largest of them */
  length: [number, number];
  largest: number;
  /** lines of the program before it returns */
  lines: number;
  kinds: readonly Kind[];
}

const EASY = ['reversed', 'sorted', 'first', 'added'] as const;
const shapes: Record<Difficulty, Shape> = {
  1: { length: [3, 4], largest: 9, lines: 1, kinds: EASY },
  2: { length: [4, 5], largest: 20, lines: 2, kinds: [...EASY, 'multiplied', 'kept'] },
  3: { length: [5, 6], largest: 50, lines: 3, kinds: [...EASY, 'multiplied', 'kept', 'distinct', 'running'] },
  4: {
    length: [6, 7],
    largest: 99,
    lines: 4,
    kinds: ['sorted', 'multiplied', 'kept', 'running', 'paired', 'rest'],
  },
  5: {
    length: [7, 9],
    largest: 99,
    lines: 6,
    kinds: ['sorted', 'multiplied', 'kept', 'running', 'paired', 'rest', 'distinct'],
  },
};

/** A line of Python, and what it does to the list `x`. */
interface Line {
  python: string;
  apply(list: readonly number[]): number[];
}

/** Python's remainder: never negative for a positive divisor. */
const modulo = (a: number, b: number) => ((a % b) + b) % b;

const lines = {
  reversed: () => ({ python: 'x = x[::-1]', apply: (list) => [...list].reverse() }),
  sorted: () => ({ python: 'x = sorted(x)', apply: (list) => [...list].sort((a, b) => a - b) }),
  first: (draws) => {
    const count = draws.integer(2, 4);
    return { python: `x = x[:${count}]`, apply: (list) => list.slice(0, count) };
  },
  added: (draws) => {
    const by = draws.integer(2, 9);
    return { python: `x = [v + ${by} for v in x]`, apply: (list) => list.map((v) => v + by) };
  },
  multiplied: (draws) => {
    const [by, less] = [draws.integer(2, 5), draws.integer(1, 9)];
    return {
      python: `x = [${by} * v - ${less} for v in x]`,
      apply: (list) => list.map((v) => by * v - less),
    };
  },
  kept: (draws) => {
    const [by, rest] = [draws.integer(2, 3), draws.integer(0, 1)];
    return {
      python: `x = [v for v in x if v % ${by} != ${rest}]`,
      apply: (list) => list.filter((v) => modulo(v, by) !== rest),
    };
  },
  distinct: () => ({
    python: 'x = list(dict.fromkeys(v // 10 for v in x))',
    apply: (list) => [...new Set(list.map((v) => Math.floor(v / 10)))],
  }),
  running: () => ({
    python: 'x = [sum(x[:i + 1]) for i in range(len(x))]',
    apply: (list) => list.map((_, i) => list.slice(0, i + 1).reduce((sum, v) => sum + v, 0)),
  }),
  paired: () => ({
    python: 'x = [a - b for a, b in zip(x, x[1:])]',
    apply: (list) => list.slice(1).map((b, i) => (list[i] ?? 0) - b),
  }),
  rest: (draws) => {
    const by = draws.integer(3, 11);
    return { python: `x = [v % ${by} for v in x]`, apply: (list) => list.map((v) => modulo(v, by)) };
  },
} satisfies Record<string, (draws: Draws) => Line>;
type Kind = keyof typeof lines;

/** Short programs in Python over a list of numbers: what do they return? */
export const outputPrediction: PuzzleGenerator = {
  domain: 'output-prediction',
  draw(difficulty, draws) {
    const shape = shapes[difficulty];
    const length = draws.integer(...shape.length);
    const input = Array.from({ length }, () => draws.integer(0, shape.largest));
    const program = Array.from({ length: shape.lines }, () => lines[draws.among(shape.kinds)](draws));
    const output = program.reduce<number[]>((list, line) => line.apply(list), input);
    if (output.length === 0) return null;
    const code = ['def f(x):', ...program.map(({ python }) => `    ${python}`), '    return x'].join('\n');
    return {
      problem: `What does f([${input.join(', ')}]) return?\n\`\`\`python\n${code}\n\`\`\`\nAnswer with the value alone.`,
      truth: { output },
      identity: `output-prediction ${code} ${input.join(' ')}`,
    };
  },
};

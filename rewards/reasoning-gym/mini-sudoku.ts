import { z } from 'zod';
import { length, stripEnd } from './python-text.ts';
import type { Task } from './task.ts';

const metadata = z.object({ solution: z.array(z.array(z.int())).min(1) });

/** `mini_sudoku`: the grid in the question's format; in another format, right cells earn partial credit. */
export const miniSudoku: Task<z.infer<typeof metadata>> = {
  metadata,
  score(answer, oracle, { solution }) {
    if (answer === '') return 0;
    const score = trimmedLines(answer) === trimmedLines(oracle) ? 1 : 0.9 * matchingShare(answer, solution);
    return score * Math.min(1, length(oracle) / length(answer));
  },
};

function trimmedLines(text: string): string {
  return text
    .split('\n')
    .map((line) => stripEnd(line))
    .join('\n');
}

/** The share of right cells; lines without exactly one digit per column are skipped. */
function matchingShare(answer: string, solution: readonly (readonly number[])[]): number {
  const size = solution[0]?.length ?? 0;
  const rows = answer
    .split('\n')
    .map((line) => (line.match(/[1-9]/g) ?? []).map(Number))
    .filter((row) => row.length === size);
  const matching = solution.flatMap((row, r) => row.filter((cell, c) => rows[r]?.[c] === cell));
  return matching.length / (size * size);
}

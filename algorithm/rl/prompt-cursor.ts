/**
 * A walk over a data set's prompts: each pass visits every prompt once, in an order of its own that the
 * run's seed decides. Where the walk stands is a plain value, kept in checkpoints and batches, so that a
 * resumed run neither repeats nor skips a prompt.
 */
import type { Cursor } from '../../contracts/records.ts';
import { deriveSeed, permutation } from '../random/seeds.ts';

/**
 * Whose walk it is. The order belongs to the stage and not to a branch: a stage rewound to a cursor inside
 * a pass goes on in that pass's order.
 */
export interface PromptOrder {
  runSeed: bigint;
  stage: string;
  /** Prompts in the data set. */
  size: number;
}

export const firstCursor: Cursor = { pass: 0, position: 0 };

/**
 * The next `n` prompts, as indices into the data set, and the cursor after them. A call that reaches the
 * end of a pass goes on into the next, so a prompt can come twice in one call but not twice in one pass.
 * Throws RangeError for an empty data set or a cursor outside it.
 */
export function take(cursor: Cursor, n: number, walk: PromptOrder): { indices: number[]; next: Cursor } {
  refuseOutside(cursor, n, walk.size);
  const indices: number[] = [];
  let { pass, position } = cursor;
  while (indices.length < n) {
    if (position === walk.size) [pass, position] = [pass + 1, 0];
    const chunk = passOrder(walk, pass).slice(position, position + n - indices.length);
    indices.push(...chunk);
    position += chunk.length;
  }
  return { indices, next: { pass, position } };
}

/** The order of one pass: permutation(deriveSeed(stage, branch 0, "prompts", step = pass, 0, 0), size). */
export function passOrder({ runSeed, stage, size }: PromptOrder, pass: number): number[] {
  const seed = deriveSeed({ runSeed, stage, branch: 0, purpose: 'prompts', step: pass, slot: 0, sample: 0 });
  return permutation(seed, size);
}

function refuseOutside({ pass, position }: Cursor, n: number, size: number): void {
  if (size < 1) throw new RangeError('prompts: expected at least one to train on, found none');
  if (!Number.isInteger(n) || n < 0) throw new RangeError(`prompts to take: expected a count, found ${n}`);
  if (pass < 0 || position < 0 || position > size) {
    const found = `pass ${pass}, position ${position}`;
    throw new RangeError(
      `cursor: expected a position from 0 to ${size}, found ${found}; is it the same data set?`,
    );
  }
}

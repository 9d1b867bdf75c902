import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Collects garbage now. An idle thread does not collect garbage by itself, and would keep gigabytes of arrays that are
 * no longer used.
 */
export function collectGarbage(): void {
  // The function exists only in contexts that are created after the flag is set.
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  setFlagsFromString('--no-expose-gc');
  if (typeof collect !== 'function') return;
  // The memory of arrays is freed concurrently after the first collection; the second waits for that to end.
  collect();
  collect();
}

/** Below this, a step takes longer where its memory is allocated anew, and little memory is saved. */
const LARGE_MODEL_PARAMETERS = 2 ** 25;

/**
 * Whether sampling, log-probabilities and training each return their memory when they end. They take turns: what one
 * keeps for its next call is memory that the others lack.
 */
export const freesBetweenCalls = (parameters: number): boolean => parameters >= LARGE_MODEL_PARAMETERS;

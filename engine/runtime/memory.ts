import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Gives back at once what nothing refers to any more. An idle thread collects no garbage by itself, and would keep
 * gigabytes of arrays that it has long done with.
 */
export function collectGarbage(): void {
  // The function is there only in contexts that are made after the flag is set.
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  setFlagsFromString('--no-expose-gc');
  if (typeof collect !== 'function') return;
  // The memory of arrays that the first finds is freed beside it; the second waits for that to end.
  collect();
  collect();
}

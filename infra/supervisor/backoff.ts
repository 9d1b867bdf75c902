/** Seconds before the first restart, the longest wait, and how long a process must run before its failures are forgotten. */
const FIRST_SECONDS = 0.5;
const LONGEST_SECONDS = 30;
export const STABLE_SECONDS = 60;

/** Seconds to wait before the next start: 0.5 · 2^(failures − 1), at most 30; failures counts from 1. */
export function backoffSeconds(failures: number): number {
  return Math.min(LONGEST_SECONDS, FIRST_SECONDS * 2 ** (failures - 1));
}

/** The number of consecutive failures, after the process has ended once more, `ranSeconds` after its start. */
export function failuresAfter(failures: number, ranSeconds: number): number {
  return ranSeconds >= STABLE_SECONDS ? 1 : failures + 1;
}

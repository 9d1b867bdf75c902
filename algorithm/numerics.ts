import type { Numerics } from '../contracts/numerics.ts';

/** Whether two results were made under numerics that give the same bits: equal in all, and deterministic. */
export function sameNumerics(a: Numerics, b: Numerics): boolean {
  return (
    a.deterministic &&
    b.deterministic &&
    a.engine === b.engine &&
    a.version === b.version &&
    a.device === b.device &&
    a.instructionSet === b.instructionSet &&
    a.threads === b.threads
  );
}

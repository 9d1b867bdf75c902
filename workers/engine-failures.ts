import { Failure, type FailureKind, TRIED_AGAIN } from '../contracts/failures.ts';

/** Errors of the engine, which knows nothing of kinds, by the names they are thrown under. */
const kinds: Record<string, FailureKind> = {
  WeightsError: 'CorruptObject',
  ModelConfigError: 'InvalidInput',
  TokenizerError: 'InvalidInput',
  LogitsError: 'InvalidInput',
  RangeError: 'InvalidInput',
};

const outOfMemory =
  /bad_alloc|bad allocation|out of memory|Failed to allocate memory|Array buffer allocation failed/i;

/** Codes of the system for a disk, or a user's share of it, without room. */
const noRoom: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT']);

/** The kind of an engine's or the system's error; null where it is none that is known. */
export function failureOfEngine(error: unknown): Failure | null {
  if (!(error instanceof Error)) return null;
  if (outOfMemory.test(error.message)) {
    return new Failure('OutOfResources', `${error.message}: use a smaller batch or a larger machine`, {
      cause: error,
    });
  }
  if ('code' in error && noRoom.has(error.code)) {
    return new Failure('OutOfSpace', `${error.message}. Make context. ${TRIED_AGAIN}`, { cause: error });
  }
  const kind = kinds[error.name];
  return kind === undefined ? null : new Failure(kind, error.message, { cause: error });
}

import { Failure, type FailureKind, TRIED_AGAIN } from '../contracts/failures.ts';

/** Kinds of the engine's errors, by their names: the engine does not import Failure. */
const kinds: Record<string, FailureKind> = {
  WeightsError: 'CorruptObject',
  ModelConfigError: 'InvalidInput',
  TokenizerError: 'InvalidInput',
  LogitsError: 'InvalidInput',
  RangeError: 'InvalidInput',
};

const outOfMemory =
  /bad_alloc|bad allocation|out of memory|Failed to allocate memory|Array buffer allocation failed/i;

/** The system's codes for a full disk or a used-up quota. */
const noFreeSpace: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT']);

/** The Failure for an error of the engine or the system; null where its kind is not known. */
export function failureOfEngine(error: unknown): Failure | null {
  if (!(error instanceof Error)) return null;
  if (outOfMemory.test(error.message)) {
    return new Failure('OutOfResources', `${error.message}: use a smaller batch or a larger machine`, {
      cause: error,
    });
  }
  if ('code' in error && noFreeSpace.has(error.code)) {
    return new Failure('OutOfSpace', `${error.message}. Free some space. ${TRIED_AGAIN}`, { cause: error });
  }
  const kind = kinds[error.name];
  return kind === undefined ? null : new Failure(kind, error.message, { cause: error });
}

/**
 * Kinds of failures between processes, and whether a retry can help. The code that throws chooses the kind; retry
 * policies and parking depend on this table alone.
 */
export const failures = {
  /** A recipe, data set or option is invalid. */
  InvalidInput: { retryable: false },
  /** Bytes do not match their checksum, digest or header. */
  CorruptObject: { retryable: false },
  /** A committed result with the same identity has different content (rule 3). */
  Contradiction: { retryable: false },
  /** The history is ahead of the rows (rule 6). */
  HistoryAhead: { retryable: false },
  /** A write with a lease that a newer one has superseded (rule 5). */
  SupersededTerm: { retryable: false },
  /** The trainer does not hold this lease's policy, or has stopped: acquire one again. */
  TrainerLost: { retryable: false },
  /** More completions were dropped because of errors than the stage allows (rule 10). */
  TooManyErrors: { retryable: false },
  /** There is nothing to train on: every group was dropped or filtered. */
  EmptyBatch: { retryable: false },
  /** A required program is not installed on this machine. */
  MissingTool: { retryable: false },
  /** Memory ran out. */
  OutOfResources: { retryable: false },
  /** A disk is full. The work continues by itself once an operator frees space. */
  OutOfSpace: { retryable: true },
  /** Others are before it in the queue: retried until it is first. */
  NotItsTurn: { retryable: true },
  /** A server did not respond, or cannot handle the request now. */
  Unavailable: { retryable: true },
} as const satisfies Record<string, { retryable: boolean }>;

/** End of a message about a temporary failure; its reader operates a run or has typed a command. */
export const TRIED_AGAIN = 'Runs retry automatically; repeat a failed command.';

export type FailureKind = keyof typeof failures;

/**
 * An error whose kind decides what happens next. The message says what was expected, what was found
 * and what to do.
 */
export class Failure extends Error {
  readonly kind: FailureKind;

  constructor(kind: FailureKind, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = kind;
    this.kind = kind;
  }

  get retryable(): boolean {
    return failures[this.kind].retryable;
  }
}

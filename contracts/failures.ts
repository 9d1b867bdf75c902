/**
 * Kinds of failure that cross a process border, and whether trying again can help. Whoever throws
 * decides by choosing the kind; retry policies and parking read this table and nothing else.
 */
export const failures = {
  /** A recipe, data set or option that is wrong as it stands. */
  InvalidInput: { retryable: false },
  /** Bytes that are not what their checksum, digest or header says. */
  CorruptObject: { retryable: false },
  /** A committed result under the same identity has other content (rule 3). */
  Contradiction: { retryable: false },
  /** The history is ahead of the rows (rule 6). */
  HistoryAhead: { retryable: false },
  /** A write by a lease that another has superseded (rule 5). */
  SupersededTerm: { retryable: false },
  /** The trainer asked does not hold this lease's policy, or is gone: acquire again. */
  TrainerLost: { retryable: false },
  /** More completions were dropped for errors than the stage allows (rule 10). */
  TooManyErrors: { retryable: false },
  /** Nothing left to train on: every group was dropped or filtered. */
  EmptyBatch: { retryable: false },
  /** A program that the work needs is not installed where it is to run. */
  MissingTool: { retryable: false },
  /** Memory ran out. */
  OutOfResources: { retryable: false },
  /** A disk is full. Somebody makes room: then it goes on by itself, however long that took. */
  OutOfSpace: { retryable: true },
  /** Others come first: asked again until it is this one's turn. */
  NotItsTurn: { retryable: true },
  /** A server that did not answer, or answered that it cannot now. */
  Unavailable: { retryable: true },
} as const satisfies Record<string, { retryable: boolean }>;

/** What a message says of a failure that waiting may end: whoever reads it is an operator of a run, or typed a command. */
export const TRIED_AGAIN = 'A run tries again by itself; run a command again.';

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

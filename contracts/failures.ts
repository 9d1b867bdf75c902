/**
 * Kinds of failures between processes, what each means, and whether a retry can help. The code that throws chooses the
 * kind; retry policies and parking depend on this table alone. `contracts/schemas/failures.json` publishes it.
 */
export const failures = {
  InvalidInput: { retryable: false, meaning: 'A recipe, data set or option is invalid.' },
  BrokenContract: {
    retryable: false,
    meaning:
      "A worker's message or record breaks the training contract: a field is missing, of another type or version.",
  },
  UnknownVersion: {
    retryable: false,
    meaning: 'A record or message of a version that this release does not know.',
  },
  CorruptObject: { retryable: false, meaning: 'Bytes do not match their checksum, digest or header.' },
  Contradiction: {
    retryable: false,
    meaning: 'A committed result with the same identity has different content (rule 3).',
  },
  HistoryAhead: { retryable: false, meaning: 'The history is ahead of the rows (rule 6).' },
  SupersededTerm: {
    retryable: false,
    meaning: 'A write with a lease that a newer one has superseded (rule 5).',
  },
  TrainerLost: {
    retryable: false,
    meaning: "The trainer does not hold this lease's policy, or has stopped: acquire one again.",
  },
  TooManyErrors: {
    retryable: false,
    meaning: 'More completions were dropped because of errors than the stage allows (rule 10).',
  },
  EmptyBatch: {
    retryable: false,
    meaning: 'There is nothing to train on: every group was dropped or filtered.',
  },
  MissingTool: { retryable: false, meaning: 'A required program is not installed on this machine.' },
  OutOfResources: { retryable: false, meaning: 'Memory ran out.' },
  OutOfSpace: {
    retryable: true,
    meaning: 'A disk is full. The work continues by itself once an operator frees space.',
  },
  NotItsTurn: { retryable: true, meaning: 'Others are before it in the queue: retried until it is first.' },
  Unavailable: { retryable: true, meaning: 'A server did not respond, or cannot handle the request now.' },
} as const satisfies Record<string, { retryable: boolean; meaning: string }>;

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

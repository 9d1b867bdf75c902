/** Reasons why a program could not be judged, and whether a retry may help. */
const RETRYABLE = {
  /** no sandbox on this machine: nothing was run */
  'sandbox-missing': false,
  /** the sandbox itself failed */
  'sandbox-failed': true,
  /** the machine was too busy for the program to use its CPU time within the wall limit */
  'wall-clock': true,
  /** the checker program fails on the expected output itself */
  checker: false,
  /** the tests are contradictory or cannot be read */
  task: false,
} as const;
export type SandboxErrorKind = keyof typeof RETRYABLE;

/** Thrown where a program could not be judged: an error, never a score of 0. */
export class SandboxError extends Error {
  override name = 'SandboxError';
  readonly kind: SandboxErrorKind;

  constructor(kind: SandboxErrorKind, message: string) {
    super(message);
    this.kind = kind;
  }

  get retryable(): boolean {
    return RETRYABLE[this.kind];
  }
}

/** Why a program could not be judged; whether trying again may mend it. */
const RETRYABLE = {
  /** no sandbox on this machine: nothing was run */
  'sandbox-missing': false,
  /** the sandbox itself broke down */
  'sandbox-failed': true,
  /** the machine was too busy to let the program spend its CPU time within the wall limit */
  'wall-clock': true,
  /** the checker program fails on the expected output itself */
  checker: false,
  /** the tests contradict themselves or cannot be read */
  task: false,
} as const;
export type SandboxErrorKind = keyof typeof RETRYABLE;

/** Thrown when a program could not be judged: an error, never a zero. */
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

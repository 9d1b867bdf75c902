/**
 * Thrown when the local stack cannot do what was requested. Its message says what was expected, what was found and what
 * to do next. It contains no secret: a command may print it as it is.
 */
export class StackError extends Error {
  override name = 'StackError';
}

/** The message of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

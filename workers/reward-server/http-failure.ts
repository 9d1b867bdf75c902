import { z } from 'zod';
import { Failure } from '../../contracts/failures.ts';

/** A response other than 200, with the kind and message of the error. */
export class HttpFailure extends Error {
  override name = 'HttpFailure';
  readonly status: number;
  readonly kind: string;

  constructor(status: number, kind: string, message: string) {
    super(message);
    this.status = status;
    this.kind = kind;
  }

  /** Seconds after which to retry; null where that would not help. */
  get retryAfter(): number | null {
    return this.status === 429 || (this.status === 503 && this.kind === 'Unavailable') ? 1 : null;
  }
}

/** The response to anything thrown. A defect reveals no internals. */
export function httpFailureOf(error: unknown): HttpFailure {
  if (error instanceof HttpFailure) return error;
  if (error instanceof z.ZodError) return new HttpFailure(400, 'request', z.prettifyError(error));
  if (error instanceof Failure) return new HttpFailure(503, error.kind, error.message);
  return new HttpFailure(500, 'internal', 'the server failed while it handled this request');
}

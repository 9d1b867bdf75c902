import type { Graded } from './verifier.ts';

const ATTEMPTS = 3;

/** Grades again where the machine, not the answer, prevented a verdict. */
export async function withRetries(grade: () => Promise<Graded>): Promise<Graded> {
  for (let attempt = 1; ; attempt++) {
    const graded = await grade();
    const retryable = 'error' in graded && graded.retry === 'again';
    if (!retryable || attempt === ATTEMPTS) return graded;
  }
}

import type { Graded } from './verifier.ts';

const ATTEMPTS = 3;

/** Asks again where the machine, and not the answer, kept a verdict from being passed. */
export async function askAgain(ask: () => Promise<Graded>): Promise<Graded> {
  for (let attempt = 1; ; attempt++) {
    const graded = await ask();
    const again = 'error' in graded && graded.retry === 'again';
    if (!again || attempt === ATTEMPTS) return graded;
  }
}

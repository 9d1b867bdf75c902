import { withRetries } from '../retry.ts';
import { type Graded, refused } from '../verifier.ts';
import type { MathVerifier } from './pool.ts';

/** The verdict on a response's final answer, computed in a thread that can be killed. */
export function gradeMath(pool: MathVerifier, groundTruth: string, response: string): Promise<Graded> {
  return withRetries(async () => {
    const [verdict] = await pool.verify([{ groundTruth, response, value: true }]);
    if (verdict === undefined) return refused('internal', 'math: expected a verdict, found none');
    if ('score' in verdict || verdict.error.kind === 'ground-truth') return verdict;
    return { ...verdict, retry: 'again' };
  });
}

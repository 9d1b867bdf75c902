import { z } from 'zod';
import type { Reward } from './reward.ts';

/** A verdict and the answer it was passed on: null where the response gives none. An error is never a zero. */
export type Graded =
  | { score: number; extracted: string | null }
  | { error: { kind: string; message: string } };

/**
 * A verifier whose ground truth is more than a text: numbers and a target, statements, options. `verify` is
 * a pure function; an entry that is not of its form is an error of the kind `ground-truth`.
 */
export interface Verifier {
  name: string;
  version: number;
  verify(entry: unknown, response: string): Graded;
}

interface Definition<Truth> {
  name: string;
  version: number;
  truth: z.ZodType<Truth>;
  grade(truth: Truth, response: string): Graded;
}

/** A verifier that holds each entry to its schema before it looks at the response. */
export function defineVerifier<Truth>({ name, version, truth, grade }: Definition<Truth>): Verifier {
  return {
    name,
    version,
    verify(entry, response) {
      const parsed = truth.safeParse(entry);
      if (parsed.success) return grade(parsed.data, response);
      return refused(
        'ground-truth',
        `${name}: the entry is not of its form: ${z.prettifyError(parsed.error)}`,
      );
    },
  };
}

export function refused(kind: string, message: string): Graded {
  return { error: { kind, message } };
}

/** The verifier as a reward: the ground truth of its prompts is the entry, written as JSON. */
export function asReward({ name, version, verify }: Verifier): Reward {
  return {
    name,
    version,
    score({ answer, completionText }) {
      const entry = parseJson(answer);
      if (entry === undefined) {
        const message = `${name}: expected a ground truth in JSON, found ${JSON.stringify(answer.slice(0, 80))}`;
        return { error: { kind: 'ground-truth', message } };
      }
      const graded = verify(entry, completionText);
      return 'error' in graded ? graded : { score: graded.score };
    },
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

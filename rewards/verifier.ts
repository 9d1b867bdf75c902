import { z } from 'zod';

/**
 * A verdict and the answer it was passed on: null where the response gives none. `value`, where the verifier knows
 * it: the same text in answers of equal value, null of a response that answers nothing. An error is never a zero.
 * `retry` says what might mend one that the inputs alone do not decide: asking again, or a tool.
 */
export type Graded =
  | { score: number; extracted: string | null; value?: string | null }
  | { error: { kind: string; message: string }; retry?: 'again' | 'with-tool' };

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

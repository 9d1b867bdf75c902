import { z } from 'zod';

/**
 * A verdict, and the answer that was judged: null where the response gives none. `value`, where the verifier knows
 * it, is the same text for answers of equal value, and null for a response without an answer. An error never counts
 * as zero. `retry` is set where the inputs alone did not cause the error: trying again, or installing a tool, may
 * resolve it.
 */
export type Graded =
  | { score: number; extracted: string | null; value?: string | null }
  | { error: { kind: string; message: string }; retry?: 'again' | 'with-tool' };

/**
 * A verifier whose ground truth is a structured entry: numbers and a target, statements, options. `verify` is a pure
 * function; an entry that does not match the schema is an error of kind `ground-truth`.
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

/** A verifier that checks each entry against its schema before it reads the response. */
export function defineVerifier<Truth>({ name, version, truth, grade }: Definition<Truth>): Verifier {
  return {
    name,
    version,
    verify(entry, response) {
      const parsed = truth.safeParse(entry);
      if (parsed.success) return grade(parsed.data, response);
      return refused(
        'ground-truth',
        `${name}: expected an entry of this domain's form: ${z.prettifyError(parsed.error)}`,
      );
    },
  };
}

export function refused(kind: string, message: string): Graded {
  return { error: { kind, message } };
}

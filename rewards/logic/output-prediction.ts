import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { finalText } from '../chain-of-thought.ts';
import { defineVerifier } from '../verifier.ts';
import { literalOf, parseLiteral } from './literal.ts';

const value = z.unknown().transform((given, context) => {
  const literal = literalOf(given);
  if (literal === undefined) context.addIssue({ code: 'custom', message: 'expected a JSON value' });
  return literal;
});
const truth = z.union([
  z.looseObject({ output: value }).transform(({ output }) => ({ accepted: [output] })),
  z.looseObject({ accepted: z.array(value).min(1) }),
]);

/**
 * 1 where the final answer equals the expected output, or one of the accepted ones, as a value: in the syntax of JSON
 * or Python, `1.0` for `1`, tuples for lists, with any white space and quotes. Integers are exact.
 */
export const outputPrediction = defineVerifier<{ accepted: unknown[] }>({
  name: 'output-prediction',
  version: 2,
  truth: truth as z.ZodType<{ accepted: unknown[] }>,
  grade({ accepted }, response) {
    const text = finalText(response);
    const written = text === null ? undefined : withoutMarkup(text);
    const value = written === undefined ? undefined : parseLiteral(written);
    const right = accepted.some(
      (each) =>
        (value !== undefined && isDeepStrictEqual(value, each)) ||
        (typeof each === 'string' && written === each),
    );
    return { score: right ? 1 : 0, extracted: text };
  },
});

/** The text without a code fence, inline code or `\boxed` around it. */
function withoutMarkup(text: string): string {
  const [, fenced] = /^```\w*\n(.*)\n```$/s.exec(text) ?? [];
  const [, inside] = /^(?:`([^`]*)`|\\boxed\{.*\})$/s.exec(text) ?? [];
  const boxed = text.startsWith('\\boxed{') && text.endsWith('}') ? text.slice(7, -1) : undefined;
  return (fenced ?? inside ?? boxed ?? text).trim();
}

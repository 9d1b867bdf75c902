import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { finalText } from '../chain-of-thought.ts';
import { defineVerifier } from '../verifier.ts';
import { parseLiteral } from './literal.ts';

const truth = z.union([
  z.looseObject({ output: z.json() }).transform(({ output }) => ({ accepted: [output] })),
  z.looseObject({ accepted: z.array(z.json()).min(1) }),
]);

/**
 * 1 where the final answer is the output expected, or any of those accepted, as a value: written as JSON or
 * as Python, `1.0` for `1`, tuples for lists, whatever the white space and the quotes.
 */
export const outputPrediction = defineVerifier<{ accepted: unknown[] }>({
  name: 'output-prediction',
  version: 1,
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

/** Without the code fence, the inline code or the `\boxed` around it. */
function withoutMarkup(text: string): string {
  const [, fenced] = /^```\w*\n(.*)\n```$/s.exec(text) ?? [];
  const [, inside] = /^(?:`([^`]*)`|\\boxed\{.*\})$/s.exec(text) ?? [];
  const boxed = text.startsWith('\\boxed{') && text.endsWith('}') ? text.slice(7, -1) : undefined;
  return (fenced ?? inside ?? boxed ?? text).trim();
}

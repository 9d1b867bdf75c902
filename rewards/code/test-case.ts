import { z } from 'zod';
import { parseExactJson, stringifyExactJson } from '../../contracts/exact-json.ts';
import { COMPARISONS, type Comparison, parseExact, sameOutput, sameValue } from './compare-output.ts';
import { languageNamed } from './language.ts';
import { SandboxError } from './sandbox-error.ts';

/** A function name that is valid in every language, so a harness can contain it as it is. */
const functionName = z.string().regex(/^[A-Za-z_]\w*$/, 'expected the plain name of a function');

const stdinTest = z.object({
  type: z.enum(['stdin_stdout', 'stdin']).transform(() => 'stdin_stdout' as const),
  input: z.string(),
  output: z.string(),
});

/**
 * `input`: the list of arguments, their names and values, or a text with one argument per line as JSON.
 * `output`: the value, a list that contains only the value, or a text with the value as JSON.
 */
const functionTest = z.object({
  type: z.enum(['function_call', 'functional']).transform(() => 'function_call' as const),
  fn_name: functionName,
  input: z.union([z.array(z.unknown()), z.record(z.string(), z.unknown()), z.string()]),
  output: z.unknown(),
});

/** One test, in the layout of Open-R1's `verification_info.test_cases`. */
const testCaseSchema = z.preprocess(
  (value) => (isRecord(value) && value.type === undefined ? { type: guessType(value), ...value } : value),
  z.discriminatedUnion('type', [stdinTest, functionTest]),
);
export type TestCase = z.infer<typeof testCaseSchema>;
type FunctionTest = Extract<TestCase, { type: 'function_call' }>;

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The type of a test that does not state one: a test with a function name calls that function. */
function guessType(value: Record<string, unknown>): string {
  return value.fn_name === undefined || value.fn_name === null ? 'stdin_stdout' : 'function_call';
}

/** Open-R1's column `verification_info`; `fn_name` may be beside the tests, or in each of them. */
const verificationInfo = z.object({
  language: z.string().transform((name, context) => {
    const language = languageNamed(name);
    if (language !== undefined) return language;
    context.addIssue({ code: 'custom', message: `expected a language that can be run, found ${name}` });
    return z.NEVER;
  }),
  test_cases: z.array(z.record(z.string(), z.unknown())).min(1),
  fn_name: z.string().nullish(),
  compare: z.enum(COMPARISONS).optional(),
});

/** Language and tests of a `verification_info`, given as a value or as JSON. Throws a `ZodError`. */
export function parseVerificationInfo(info: unknown) {
  const { language, test_cases, fn_name, compare } = verificationInfo.parse(
    typeof info === 'string' ? parseExactJson(info) : info,
  );
  const common = fn_name ? { fn_name } : {};
  return {
    language,
    compare,
    tests: z.array(testCaseSchema).parse(test_cases.map((each) => ({ ...common, ...each }))),
  };
}

/** The call of a function test, as JSON for the harness. */
function callOf({ input }: FunctionTest): string {
  if (typeof input === 'string') return `{"args":${argumentLines(input)},"named":{}}`;
  const named = Array.isArray(input) ? {} : input;
  return stringifyExactJson({ args: Array.isArray(input) ? input : [], named });
}

/** Copies the lines unchanged, so long integers keep all digits. */
function argumentLines(input: string): string {
  const lines = input.split('\n').filter((line) => line.trim() !== '');
  const odd = lines.find((line) => parseExact(line) === undefined);
  if (odd === undefined) return `[${lines.join(',')}]`;
  throw new SandboxError('task', `expected an argument as JSON in each line of a test's input, found ${odd}`);
}

/** Whether a function's result, as JSON, equals what the test expects. */
function sameResult({ output }: FunctionTest, result: string): boolean {
  const actual = parseExact(result);
  if (actual === undefined) return false;
  if (typeof output === 'string') return sameValue(parseExact(output), actual) || actual === output;
  const alone = Array.isArray(output) && output.length === 1 && sameValue(output[0], actual);
  return alone || sameValue(output, actual);
}

/** The standard input of a test's program. */
export function stdinOf(test: TestCase): string {
  return test.type === 'stdin_stdout' ? test.input : callOf(test);
}

/** Whether a run's output passes a test without a checker. */
export function passes(
  test: TestCase,
  output: { stdout: Buffer; result: Buffer },
  compare?: Comparison,
): boolean {
  return test.type === 'stdin_stdout'
    ? sameOutput(test.output, output.stdout.toString(), compare)
    : sameResult(test, output.result.toString());
}

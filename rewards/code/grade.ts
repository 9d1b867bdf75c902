import { createHash } from 'node:crypto';
import { z } from 'zod';
import { withRetries } from '../retry.ts';
import { type Graded, refused } from '../verifier.ts';
import { extractCode } from './code-block.ts';
import { COMPARISONS } from './compare-output.ts';
import { entryLimitsShape, refuseTooManyTests, runLimitsOf } from './limits.ts';
import type { Sandbox } from './sandbox.ts';
import { parseVerificationInfo } from './test-case.ts';
import { type CodeTask, type CodeVerdict, verifyCode } from './verify-code.ts';

const entrySchema = z.looseObject({
  verification_info: z.unknown().optional(),
  /** Open-R1's checker: a Python program that is called with input, expected and actual output */
  checker: z.string().min(1).optional(),
  /** how printed outputs are compared; may be in `verification_info` as well */
  compare: z.enum(COMPARISONS).optional(),
  ...entryLimitsShape,
});

/**
 * The verdict on the program in a response. The entry contains Open-R1's `verification_info`, in a field of that name
 * or as the entry itself, and a checker where several outputs may be right.
 */
export async function gradeCode(
  sandbox: Sandbox,
  entry: unknown,
  response: string,
  mode: CodeTask['mode'],
): Promise<Graded> {
  const task = readTask(entry);
  if ('error' in task) return task;
  const source = extractCode(response, task.language);
  if (source === null) return { score: 0, extracted: null, value: null };
  return withRetries(async () => gradedOf(await verifyCode({ ...task, source, mode }, sandbox), source));
}

/** A hash of a program that ignores blank lines and white space at the ends of lines. */
function programValue(source: string): string {
  const lines = source.split('\n').map((line) => line.trimEnd());
  return createHash('sha256')
    .update(lines.filter((line) => line !== '').join('\n'))
    .digest('hex');
}

const OPEN_R1_CHECKER = { language: 'python', protocol: 'open-r1' } as const;

function gradedOf(verdict: CodeVerdict, extracted: string): Graded {
  if ('score' in verdict) return { score: verdict.score, extracted, value: programValue(extracted) };
  const { kind, message, retryable } = verdict.error;
  const error = { kind, message };
  if (kind === 'sandbox-missing') return { error, retry: 'with-tool' };
  return retryable ? { error, retry: 'again' } : { error };
}

function readTask(entry: unknown) {
  try {
    const { verification_info, checker, compare, ...limits } = entrySchema.parse(entry);
    const info = parseVerificationInfo(verification_info ?? entry);
    refuseTooManyTests(info.tests);
    return {
      ...info,
      compare: compare ?? info.compare,
      limits: { run: runLimitsOf(limits) },
      ...(checker === undefined ? {} : { checker: { ...OPEN_R1_CHECKER, source: checker } }),
    };
  } catch (error) {
    const problem = error instanceof z.ZodError ? z.prettifyError(error) : String(error);
    return refused('ground-truth', `code: expected an entry of this domain's form: ${problem}`) as Graded & {
      error: object;
    };
  }
}

import { z } from 'zod';
import { type Check, type Checker, prepareChecker } from './checker.ts';
import type { Comparison } from './compare-output.ts';
import type { Language } from './language.ts';
import { COMPLETION_LIMITS, type Limits, limitsWith, type RunLimits } from './limits.ts';
import { type Program, prepare } from './program.ts';
import { type Ending, endingOf, type RunOutcome } from './run-outcome.ts';
import type { Sandbox } from './sandbox.ts';
import { SandboxError, type SandboxErrorKind } from './sandbox-error.ts';
import { passes, stdinOf, type TestCase } from './test-case.ts';

/** A program and its tests. */
export interface CodeTask {
  language: Language;
  source: string;
  /** at least one */
  tests: readonly TestCase[];
  /** `pass-rate`: the share of passed tests. `all-or-nothing`: 1 or 0; tests after the first failure do not run */
  mode: 'pass-rate' | 'all-or-nothing';
  /** changes to the default limits */
  limits?: { run?: Partial<RunLimits>; compile?: Partial<RunLimits> };
  /** judges the output of tests with standard input and output, instead of a comparison */
  checker?: Checker;
  /** how the output of such tests is compared; default: `numbers` */
  compare?: Comparison | undefined;
}

type TestVerdictKind =
  | 'passed'
  | 'wrong-answer'
  | 'compile-error'
  | 'time-limit'
  | 'memory-limit'
  | 'output-limit'
  | 'crashed'
  | 'not-run';

interface TestVerdict {
  kind: TestVerdictKind;
  /** the end of the compiler's or program's error output; empty for other kinds */
  message: string;
  /** null where it did not run */
  cpuSeconds: number | null;
}

/** A score from 0 to 1 with one verdict per test, in order; or why there is no score, and whether to try again. */
export type CodeVerdict =
  | { score: number; tests: TestVerdict[] }
  | { error: { kind: SandboxErrorKind; message: string; retryable: boolean } };

/**
 * Runs a program against its tests, each in a new sandbox. Once a program has used up the limits of a completion, the
 * remaining tests fail. Never rejects because of what a program does.
 */
export async function verifyCode(task: CodeTask, machine: Sandbox): Promise<CodeVerdict> {
  const { sandbox, usage } = metered(machine);
  try {
    const limits = readLimits(task);
    if (task.tests.length === 0) throw new SandboxError('task', 'expected at least one test, found none');
    await sandbox.ready();
    const check = task.checker === undefined ? null : await prepareChecker(task.checker, sandbox);
    const tests = await runTests(task, { sandbox, usage, limits, check, programs: new Map() });
    return { score: scoreOf(tests, task.mode), tests };
  } catch (error) {
    if (!(error instanceof SandboxError)) throw error;
    const { kind, message, retryable } = error;
    return { error: { kind, message, retryable } };
  }
}

function readLimits({ limits }: CodeTask): Limits {
  try {
    return limitsWith(limits);
  } catch (error) {
    if (error instanceof z.ZodError) throw new SandboxError('task', `limits: ${z.prettifyError(error)}`);
    throw error;
  }
}

function scoreOf(tests: readonly TestVerdict[], mode: CodeTask['mode']): number {
  const passed = tests.filter(({ kind }) => kind === 'passed').length;
  if (mode === 'pass-rate') return passed / tests.length;
  return passed === tests.length ? 1 : 0;
}

interface Usage {
  cpuSeconds: number;
  /** runs that slept until their wall limit */
  sleepers: number;
}

/** A sandbox that adds up the usage of all its runs. */
function metered(sandbox: Sandbox): { sandbox: Sandbox; usage: Usage } {
  const usage = { cpuSeconds: 0, sleepers: 0 };
  const run: Sandbox['run'] = async (command, signal) => {
    const outcome = await sandbox.run(command, signal);
    usage.cpuSeconds += outcome.cpuSeconds;
    if (outcome.stoppedBy === 'wall') usage.sleepers += 1;
    return outcome;
  };
  return { sandbox: { ...sandbox, run }, usage };
}

interface RunContext {
  sandbox: Sandbox;
  usage: Usage;
  limits: Limits;
  check: Check | null;
  /** programs prepared so far, by the function that they call */
  programs: Map<string | null, Awaited<ReturnType<typeof prepare>>>;
}

const NOT_RUN: TestVerdict = { kind: 'not-run', message: '', cpuSeconds: null };

async function runTests(task: CodeTask, context: RunContext): Promise<TestVerdict[]> {
  const verdicts: TestVerdict[] = [];
  for (const test of task.tests) {
    const ends = endsEarly(task, verdicts) || isUsedUp(context.usage);
    const verdict = ends ? NOT_RUN : await runTest(task, test, context);
    verdicts.push(verdict.kind === 'not-run' ? afterFailure(verdicts) : verdict);
  }
  return verdicts;
}

function isUsedUp({ cpuSeconds, sleepers }: Usage): boolean {
  return cpuSeconds >= COMPLETION_LIMITS.cpuSeconds || sleepers >= COMPLETION_LIMITS.sleepers;
}

/** Whether the remaining tests need not run: a program that does not compile fails every test. */
function endsEarly({ mode }: CodeTask, verdicts: readonly TestVerdict[]): boolean {
  const last = verdicts.at(-1)?.kind ?? 'passed';
  return last === 'compile-error' || last === 'not-run' || (mode === 'all-or-nothing' && last !== 'passed');
}

function afterFailure(verdicts: readonly TestVerdict[]): TestVerdict {
  const last = verdicts.at(-1);
  return last?.kind === 'compile-error' ? { ...last, cpuSeconds: null } : NOT_RUN;
}

async function runTest(task: CodeTask, test: TestCase, context: RunContext): Promise<TestVerdict> {
  const program = await programFor(task, test, context);
  if ('compileError' in program) {
    return { kind: 'compile-error', message: program.compileError, cpuSeconds: null };
  }
  const outcome = await runProgram(program, test, context);
  const ending = endingOf(outcome, context.limits.run);
  const kind =
    ending === 'completed' ? await judge(test, outcome, context.check, task.compare) : KIND_OF[ending];
  return { kind, message: messageOf(kind, outcome), cpuSeconds: outcome.cpuSeconds };
}

async function programFor({ language, source }: CodeTask, test: TestCase, context: RunContext) {
  const functionName = test.type === 'function_call' ? test.fn_name : null;
  const made =
    context.programs.get(functionName) ??
    (await prepare({ language, source, functionName }, context.sandbox, context.limits));
  context.programs.set(functionName, made);
  return made;
}

function runProgram(program: Program, test: TestCase, { sandbox, limits }: RunContext): Promise<RunOutcome> {
  return sandbox.run({ ...program, stdin: stdinOf(test), limits: limits.run });
}

async function judge(
  test: TestCase,
  outcome: RunOutcome,
  check: Check | null,
  compare: Comparison | undefined,
): Promise<TestVerdictKind> {
  const accepted =
    check !== null && test.type === 'stdin_stdout'
      ? await check({ input: test.input, expected: test.output, actual: outcome.stdout })
      : passes(test, outcome, compare);
  return accepted ? 'passed' : 'wrong-answer';
}

const KIND_OF: Record<Exclude<Ending, 'completed'>, TestVerdictKind> = {
  'time-limit': 'time-limit',
  'memory-limit': 'memory-limit',
  'output-limit': 'output-limit',
  crashed: 'crashed',
  'does-not-parse': 'compile-error',
};

function messageOf(kind: TestVerdictKind, { status, stderr }: RunOutcome): string {
  if (kind !== 'crashed' && kind !== 'compile-error') return '';
  const how = status > 128 ? `signal ${status - 128}` : `exit code ${status}`;
  return `${how}: ${stderr.trim().slice(-2000)}`;
}

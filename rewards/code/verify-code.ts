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

/** A program and what it is to be held against. */
export interface CodeTask {
  language: Language;
  source: string;
  /** at least one */
  tests: readonly TestCase[];
  /** `pass-rate`: share of tests passed. `all-or-nothing`: 1 or 0; tests after the first failure are not run */
  mode: 'pass-rate' | 'all-or-nothing';
  /** what differs from the default limits */
  limits?: { run?: Partial<RunLimits>; compile?: Partial<RunLimits> };
  /** judges the output of tests of standard input and output in place of comparison */
  checker?: Checker;
  /** how the output of such tests is compared; `numbers` where it is left out */
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
  /** what the compiler or the program last said; empty where it is of no interest */
  message: string;
  /** seconds; null where it was not run */
  cpuSeconds: number | null;
}

/** `score` is 0…1, `tests` one verdict a test in order; or why there is no score, and whether to try again. */
export type CodeVerdict =
  | { score: number; tests: TestVerdict[] }
  | { error: { kind: SandboxErrorKind; message: string; retryable: boolean } };

/**
 * Runs a program against its tests, each in a sandbox of its own. A program that has used up the limits of a
 * completion passes no further test. Never rejects for what a program does.
 */
export async function verifyCode(task: CodeTask, machine: Sandbox): Promise<CodeVerdict> {
  const { sandbox, spent } = metered(machine);
  try {
    const limits = readLimits(task);
    if (task.tests.length === 0) throw new SandboxError('task', 'expected at least one test, found none');
    await sandbox.ready();
    const check = task.checker === undefined ? null : await prepareChecker(task.checker, sandbox);
    const tests = await runTests(task, { sandbox, spent, limits, check, programs: new Map() });
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

interface Spent {
  cpuSeconds: number;
  /** runs that slept until their wall limit */
  sleepers: number;
}

/** A sandbox that counts what all its runs use together. */
function metered(sandbox: Sandbox): { sandbox: Sandbox; spent: Spent } {
  const spent = { cpuSeconds: 0, sleepers: 0 };
  const run: Sandbox['run'] = async (command, signal) => {
    const outcome = await sandbox.run(command, signal);
    spent.cpuSeconds += outcome.cpuSeconds;
    if (outcome.stoppedBy === 'wall') spent.sleepers += 1;
    return outcome;
  };
  return { sandbox: { ...sandbox, run }, spent };
}

interface Bench {
  sandbox: Sandbox;
  spent: Spent;
  limits: Limits;
  check: Check | null;
  /** programs made so far, by the function that they call */
  programs: Map<string | null, Awaited<ReturnType<typeof prepare>>>;
}

const NOT_RUN: TestVerdict = { kind: 'not-run', message: '', cpuSeconds: null };

async function runTests(task: CodeTask, bench: Bench): Promise<TestVerdict[]> {
  const verdicts: TestVerdict[] = [];
  for (const test of task.tests) {
    const ends = endsEarly(task, verdicts) || isSpent(bench.spent);
    const verdict = ends ? NOT_RUN : await runTest(task, test, bench);
    verdicts.push(verdict.kind === 'not-run' ? afterFailure(verdicts) : verdict);
  }
  return verdicts;
}

function isSpent({ cpuSeconds, sleepers }: Spent): boolean {
  return cpuSeconds >= COMPLETION_LIMITS.cpuSeconds || sleepers >= COMPLETION_LIMITS.sleepers;
}

/** What does not compile, does so for every test. */
function endsEarly({ mode }: CodeTask, verdicts: readonly TestVerdict[]): boolean {
  const last = verdicts.at(-1)?.kind ?? 'passed';
  return last === 'compile-error' || last === 'not-run' || (mode === 'all-or-nothing' && last !== 'passed');
}

function afterFailure(verdicts: readonly TestVerdict[]): TestVerdict {
  const last = verdicts.at(-1);
  return last?.kind === 'compile-error' ? { ...last, cpuSeconds: null } : NOT_RUN;
}

async function runTest(task: CodeTask, test: TestCase, bench: Bench): Promise<TestVerdict> {
  const program = await programFor(task, test, bench);
  if ('compileError' in program) {
    return { kind: 'compile-error', message: program.compileError, cpuSeconds: null };
  }
  const outcome = await runProgram(program, test, bench);
  const ending = endingOf(outcome, bench.limits.run);
  const kind =
    ending === 'completed' ? await judge(test, outcome, bench.check, task.compare) : KIND_OF[ending];
  return { kind, message: messageOf(kind, outcome), cpuSeconds: outcome.cpuSeconds };
}

async function programFor({ language, source }: CodeTask, test: TestCase, bench: Bench) {
  const functionName = test.type === 'function_call' ? test.fn_name : null;
  const made =
    bench.programs.get(functionName) ??
    (await prepare({ language, source, functionName }, bench.sandbox, bench.limits));
  bench.programs.set(functionName, made);
  return made;
}

function runProgram(program: Program, test: TestCase, { sandbox, limits }: Bench): Promise<RunOutcome> {
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

import type { Language } from './language.ts';
import { limitsWith } from './limits.ts';
import { type Program, prepare } from './program.ts';
import { endingOf, type RunOutcome } from './run-outcome.ts';
import type { Sandbox } from './sandbox.ts';
import { SandboxError } from './sandbox-error.ts';
import { BOX } from './sandboxed-command.ts';

/** A program that judges outputs where more than one output is right. */
export interface Checker {
  language: Language;
  source: string;
  /**
   * `open-r1`: called with input, expected and actual output; prints 1 as its last word to accept, 0 to reject.
   * `testlib`: called with input, actual and expected output; exits with 0 to accept, 1 or 2 to reject. Any other end
   * is a failure of the checker.
   */
  protocol: 'open-r1' | 'testlib';
}

type Judgement = 'accepts' | 'rejects' | 'fails';
interface Judged {
  input: string;
  expected: string;
  actual: string | Buffer;
}
export type Check = (judged: Judged) => Promise<boolean>;

interface Protocol {
  order: readonly (keyof Judged)[];
  read(outcome: RunOutcome): Judgement;
}

const PROTOCOLS: Record<Checker['protocol'], Protocol> = {
  'open-r1': { order: ['input', 'expected', 'actual'], read: readLastWord },
  testlib: { order: ['input', 'actual', 'expected'], read: readStatus },
};

function readLastWord({ status, stdout }: RunOutcome): Judgement {
  const word = Number(stdout.toString().trim().split(/\s+/).at(-1) || Number.NaN);
  if (status !== 0 || !(word >= 0 && word <= 1)) return 'fails';
  return word === 1 ? 'accepts' : 'rejects';
}

function readStatus({ status }: RunOutcome): Judgement {
  if (status === 0) return 'accepts';
  return status === 1 || status === 2 ? 'rejects' : 'fails';
}

const CHECKER_LIMITS = limitsWith({ run: { cpuSeconds: 20, memoryBytes: 2 ** 30 } });

/**
 * Compiles a checker. The returned `Check` resolves to whether an output is accepted. Where the checker fails on an
 * output but accepts the expected one, the output is rejected. Throws a `SandboxError` of kind `checker` where the
 * checker does not compile, or fails on the expected output too.
 */
export async function prepareChecker(checker: Checker, sandbox: Sandbox): Promise<Check> {
  const program = await prepare({ ...checker, functionName: null }, sandbox, CHECKER_LIMITS);
  if ('compileError' in program) {
    throw new SandboxError('checker', `the checker does not compile: ${program.compileError}`);
  }
  const judge = (judged: Judged) => runChecker(checker.protocol, program, judged, sandbox);
  return async (judged) => {
    const judgement = await judge(judged);
    if (judgement !== 'fails') return judgement === 'accepts';
    if ((await judge({ ...judged, actual: judged.expected })) === 'accepts') return false;
    throw new SandboxError('checker', 'the checker fails on the expected output too');
  };
}

const FILES: Record<keyof Judged, string> = {
  input: 'input.txt',
  expected: 'correct_output.txt',
  actual: 'solution_output.txt',
};

async function runChecker(
  protocol: Checker['protocol'],
  program: Program,
  judged: Judged,
  sandbox: Sandbox,
): Promise<Judgement> {
  const { order, read } = PROTOCOLS[protocol];
  const data = order.map((each) => ({ name: FILES[each], content: judged[each] }));
  const outcome = await sandbox.run({
    ...program,
    argv: [...program.argv, ...data.map(({ name }) => `${BOX}/${name}`)],
    files: [...program.files, ...data],
    stdin: '',
    limits: CHECKER_LIMITS.run,
  });
  const ending = endingOf(outcome, CHECKER_LIMITS.run);
  return ending === 'completed' || ending === 'crashed' ? read(outcome) : 'fails';
}

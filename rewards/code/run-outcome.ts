import type { RunLimits } from './limits.ts';
import { SandboxError } from './sandbox-error.ts';

/** How one run of a program in the sandbox ended, before its output is judged. */
export interface RunOutcome {
  /** exit status as in a shell: 128 + n where signal n ended it */
  status: number;
  /**
   * the limit for which the sandbox ended it; `wall`: it ran or slept that long; `starved`: it waited too long for a
   * processor; null: it ended by itself
   */
  stoppedBy: 'cpu' | 'wall' | 'starved' | 'output' | null;
  /** whether the kernel killed any of its processes because memory ran out; false without a control group */
  killedForMemory: boolean;
  /** CPU seconds of all its processes; without a control group as last sampled, so possibly too low */
  cpuSeconds: number;
  /** seconds in which it ran or slept, as last sampled; for the rest it waited for a processor */
  ownSeconds: number;
  wallSeconds: number;
  stdout: Buffer;
  /** the end of standard error, at most 64 KiB */
  stderr: string;
  /** what it wrote to the result descriptor, 3 */
  result: Buffer;
}

/** How a run ended, as verdicts name it. */
export type Ending =
  | 'completed'
  | 'time-limit'
  | 'memory-limit'
  | 'output-limit'
  | 'crashed'
  | 'does-not-parse';

const SIGXCPU = 24;
const SIGXFSZ = 25;
const signalled = (signal: number) => 128 + signal;

/** Messages of interpreters and runtimes when an allocation fails. */
const OUT_OF_MEMORY =
  /^MemoryError\b|std::bad_alloc|heap out of memory|Array buffer allocation failed|Cannot allocate memory/m;

/** An error of Python's parser: without a traceback, since nothing ran. */
const PYTHON_DOES_NOT_PARSE =
  /^ {2}File "\/box\/\w+\.py", line \d+\n(?:.*\n){0,3}(?:SyntaxError|IndentationError|TabError): /;

/** An error of Node's parser: a syntax error at a line of the program, followed by one of Node's own stack frames. */
function javaScriptDoesNotParse(stderr: string): boolean {
  const [location = '', ...lines] = stderr.split('\n');
  if (!/^\/box\/\w+\.js:\d+$/.test(location)) return false;
  return lines.some((line, at) => line.startsWith('SyntaxError: ') && isNodesFrame(lines[at + 1] ?? ''));
}

const isNodesFrame = (line: string) =>
  /^ +at /.test(line) && (line.includes('node:') || line.includes('/box/call.cjs'));

type Rule = (outcome: RunOutcome, limits: RunLimits) => boolean;

/** The first rule that applies names the ending. */
const RULES: readonly [Ending, Rule][] = [
  ['output-limit', ({ stoppedBy, status }) => stoppedBy === 'output' || status === signalled(SIGXFSZ)],
  ['memory-limit', ({ killedForMemory }) => killedForMemory],
  ['time-limit', exceededTime],
  ['completed', ({ status, stoppedBy }) => status === 0 && stoppedBy === null],
  ['memory-limit', ({ stderr }) => OUT_OF_MEMORY.test(stderr)],
  ['does-not-parse', ({ stderr }) => PYTHON_DOES_NOT_PARSE.test(stderr) || javaScriptDoesNotParse(stderr)],
  ['crashed', () => true],
];

/** Names how a run ended. Throws a `SandboxError` of kind `wall-clock` where it waited too long for a processor. */
export function endingOf(outcome: RunOutcome, limits: RunLimits): Ending {
  const found = RULES.find(([, applies]) => applies(outcome, limits));
  return found === undefined ? 'crashed' : found[0];
}

function exceededTime({ stoppedBy, status, ...outcome }: RunOutcome, limits: RunLimits): boolean {
  if (stoppedBy === 'cpu' || status === signalled(SIGXCPU)) return true;
  if (stoppedBy === 'wall' || outcome.cpuSeconds >= limits.cpuSeconds) return true;
  if (stoppedBy !== 'starved') return false;
  const [cpu, own, wall] = [outcome.cpuSeconds, outcome.ownSeconds, outcome.wallSeconds].map((n) =>
    n.toFixed(1),
  );
  throw new SandboxError(
    'wall-clock',
    `expected ${limits.cpuSeconds} s of CPU time to be available within ${wall} s, found ${cpu} s: the program waited ` +
      `for a processor for all but ${own} s. Run fewer programs at once, or use a machine with more processors.`,
  );
}

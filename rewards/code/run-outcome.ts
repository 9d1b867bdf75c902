import type { RunLimits } from './limits.ts';
import { SandboxError } from './sandbox-error.ts';

/** How one run of a program in the sandbox ended, before anybody judges its output. */
export interface RunOutcome {
  /** exit status as a shell tells it: 128 + n where signal n ended it */
  status: number;
  /**
   * which limit made the sandbox end it; `wall`: it spent that long by its own doing, running or asleep;
   * `starved`: the machine did not let it run; null: it ended by itself
   */
  stoppedBy: 'cpu' | 'wall' | 'starved' | 'output' | null;
  /** whether the kernel killed any of its processes for want of memory; never, where no control group bounds it */
  killedForMemory: boolean;
  /** seconds of all its processes; without a control group as last sampled, so possibly too low */
  cpuSeconds: number;
  /** seconds in which it ran or slept, as last sampled; in the others it was ready to run and could not */
  ownSeconds: number;
  wallSeconds: number;
  stdout: Buffer;
  /** the last of standard error, at most 64 KiB */
  stderr: string;
  /** what it wrote to the result channel, descriptor 3 */
  result: Buffer;
}

/** How a run ended, in the words of verdicts. */
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

/** What an interpreter or a runtime says when an allocation is refused. */
const OUT_OF_MEMORY =
  /^MemoryError\b|std::bad_alloc|heap out of memory|Array buffer allocation failed|Cannot allocate memory/m;

/** Python's parser: no traceback, since nothing ran. */
const PYTHON_DOES_NOT_PARSE =
  /^ {2}File "\/box\/\w+\.py", line \d+\n(?:.*\n){0,3}(?:SyntaxError|IndentationError|TabError): /;

/** Node's: a syntax error at a place in the program, and beneath it a frame of Node's own. */
function javaScriptDoesNotParse(stderr: string): boolean {
  const [place = '', ...lines] = stderr.split('\n');
  if (!/^\/box\/\w+\.js:\d+$/.test(place)) return false;
  return lines.some((line, at) => line.startsWith('SyntaxError: ') && isNodesFrame(lines[at + 1] ?? ''));
}

const isNodesFrame = (line: string) =>
  /^ +at /.test(line) && (line.includes('node:') || line.includes('/box/call.cjs'));

type Rule = (outcome: RunOutcome, limits: RunLimits) => boolean;

/** The first that holds names the ending. */
const RULES: readonly [Ending, Rule][] = [
  ['output-limit', ({ stoppedBy, status }) => stoppedBy === 'output' || status === signalled(SIGXFSZ)],
  ['memory-limit', ({ killedForMemory }) => killedForMemory],
  ['time-limit', spentItsTime],
  ['completed', ({ status, stoppedBy }) => status === 0 && stoppedBy === null],
  ['memory-limit', ({ stderr }) => OUT_OF_MEMORY.test(stderr)],
  ['does-not-parse', ({ stderr }) => PYTHON_DOES_NOT_PARSE.test(stderr) || javaScriptDoesNotParse(stderr)],
  ['crashed', () => true],
];

/** Names how a run ended. Throws a `SandboxError` of kind `wall-clock` where the machine did not let it run. */
export function endingOf(outcome: RunOutcome, limits: RunLimits): Ending {
  const found = RULES.find(([, holds]) => holds(outcome, limits));
  return found === undefined ? 'crashed' : found[0];
}

function spentItsTime({ stoppedBy, status, ...outcome }: RunOutcome, limits: RunLimits): boolean {
  if (stoppedBy === 'cpu' || status === signalled(SIGXCPU)) return true;
  if (stoppedBy === 'wall' || outcome.cpuSeconds >= limits.cpuSeconds) return true;
  if (stoppedBy !== 'starved') return false;
  const [cpu, own, wall] = [outcome.cpuSeconds, outcome.ownSeconds, outcome.wallSeconds].map((n) =>
    n.toFixed(1),
  );
  throw new SandboxError(
    'wall-clock',
    `expected ${limits.cpuSeconds} s of CPU time to be had within ${wall} s; the program got ${cpu} s, and was ` +
      `kept waiting for a processor for all but ${own} s. Run fewer programs at once, or give it more processors.`,
  );
}

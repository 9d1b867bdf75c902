import type { RunLimits } from './limits.ts';
import { SandboxError } from './sandbox-error.ts';

/** How one run of a program in the sandbox ended, before anybody judges its output. */
export interface RunOutcome {
  /** exit status as a shell tells it: 128 + n where signal n ended it */
  status: number;
  /** which limit made the sandbox end it; null: it ended by itself */
  stoppedBy: 'cpu' | 'wall' | 'output' | null;
  /** whether the kernel killed any of its processes for want of memory; never, where no control group bounds it */
  killedForMemory: boolean;
  /** seconds of all its processes; without a control group as last sampled, so possibly too low */
  cpuSeconds: number;
  /** seconds for which it was ready to run and could not; null where the kernel does not count them */
  waitedSeconds: number | null;
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

/** The parsers of Python (no traceback, since nothing ran) and of Node (only its own frames). */
const DOES_NOT_PARSE = [
  /^ {2}File "\/box\/\w+\.py", line \d+\n(?:.*\n){0,3}(?:SyntaxError|IndentationError|TabError): /,
  /^\/box\/\w+\.js:\d+\n(?:.*\n)*?SyntaxError: .*\n(?: +at .*(?:node:|\/box\/call\.cjs).*\n)+/,
];

type Rule = (outcome: RunOutcome, limits: RunLimits) => boolean;

/** The first that holds names the ending. */
const RULES: readonly [Ending, Rule][] = [
  ['output-limit', ({ stoppedBy, status }) => stoppedBy === 'output' || status === signalled(SIGXFSZ)],
  ['memory-limit', ({ killedForMemory }) => killedForMemory],
  ['time-limit', spentItsTime],
  ['completed', ({ status, stoppedBy }) => status === 0 && stoppedBy === null],
  ['memory-limit', ({ stderr }) => OUT_OF_MEMORY.test(stderr)],
  ['does-not-parse', ({ stderr }) => DOES_NOT_PARSE.some((pattern) => pattern.test(stderr))],
  ['crashed', () => true],
];

/**
 * Names how a run ended. Throws a `SandboxError` of kind `wall-clock` where the wall limit ended it and the
 * machine, not the program, was the reason.
 */
export function endingOf(outcome: RunOutcome, limits: RunLimits): Ending {
  const found = RULES.find(([, holds]) => holds(outcome, limits));
  return found === undefined ? 'crashed' : found[0];
}

function spentItsTime(outcome: RunOutcome, limits: RunLimits): boolean {
  const { stoppedBy, status, cpuSeconds } = outcome;
  if (stoppedBy === 'cpu' || status === signalled(SIGXCPU) || cpuSeconds >= limits.cpuSeconds) return true;
  return stoppedBy === 'wall' && sleptThroughWall(outcome, limits);
}

/**
 * At the wall limit W, with c seconds of CPU used and w seconds waited for a processor: the program asked for
 * the processor during c + w seconds. If c + w ≤ cpuSeconds ≤ W / 2, it could have had its whole CPU time and
 * slept at least half of W instead: it waits for what never comes, and that is its own verdict. If c + w is
 * more, it lacked what the machine owed it, and the run is to be tried again.
 */
function sleptThroughWall({ cpuSeconds, waitedSeconds, wallSeconds }: RunOutcome, limits: RunLimits): true {
  if (waitedSeconds !== null && cpuSeconds + waitedSeconds <= limits.cpuSeconds) return true;
  const waited = waitedSeconds === null ? 'an unknown time' : `${waitedSeconds.toFixed(1)} s`;
  throw new SandboxError(
    'wall-clock',
    `expected ${limits.cpuSeconds} s of CPU time to be had within ${wallSeconds.toFixed(1)} s; the program got ` +
      `${cpuSeconds.toFixed(1)} s and was kept waiting ${waited}. Run fewer programs at once, or raise wallSeconds.`,
  );
}

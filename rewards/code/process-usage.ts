import { readdirSync, readFileSync } from 'node:fs';

/** What a thread has had of the processors so far, in seconds. */
export interface ThreadTimes {
  /** on a processor */
  ran: number;
  /** ready to run, but kept waiting because others ran */
  waited: number;
}

/** The times of threads by their ids. */
export type Threads = ReadonlyMap<number, ThreadTimes>;

/** The kernel's unit in /proc/PID/stat, 100 a second on every Linux that Node runs on; see times(2). */
const TICKS_PER_SECOND = 100;

/** A process and its living descendants, orphans among them where it is the first of its pid space. */
export function processesOf(pid: number): number[] {
  const children = threadsOf(pid).flatMap((thread) =>
    (readText(`/proc/${pid}/task/${thread}/children`) ?? '').split(' ').filter(Boolean).map(Number),
  );
  return [pid, ...children.flatMap(processesOf)];
}

export function threadsOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).map(Number);
  } catch {
    return [];
  }
}

/** CPU seconds of processes, and of their descendants that have ended and been awaited. */
export function cpuSecondsOf(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + cpuSeconds(pid), 0);
}

/** proc(5), /proc/PID/stat: utime, stime, cutime, cstime are fields 14 to 17, the state is field 3. */
function statFields(id: number): string[] | undefined {
  const stat = readText(`/proc/${id}/stat`);
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
}

function cpuSeconds(pid: number): number {
  const ticks = statFields(pid)?.slice(11, 15) ?? [];
  return ticks.reduce((sum, each) => sum + Number(each), 0) / TICKS_PER_SECOND;
}

/**
 * Times of threads, those that are gone left out. Where the kernel does not count waiting, a thread that is found
 * ready to run is taken to have been so since it was last looked at, `seconds` ago.
 */
export function timesOf(
  threads: readonly number[],
  before: Threads,
  seconds: number,
): Map<number, ThreadTimes> {
  const times = new Map<number, ThreadTimes>();
  for (const id of threads) {
    const found = countsWaiting() ? countedTimes(id) : sampledTimes(id, before.get(id), seconds);
    if (found !== undefined) times.set(id, found);
  }
  return times;
}

/** /proc/TID/schedstat: time on a processor, time on a run queue (both ns), slices. */
function countedTimes(id: number): ThreadTimes | undefined {
  const fields = readText(`/proc/${id}/schedstat`)?.split(' ');
  return fields && { ran: Number(fields[0]) / 1e9, waited: Number(fields[1]) / 1e9 };
}

export function sampledTimes(
  id: number,
  before: ThreadTimes = { ran: 0, waited: 0 },
  seconds: number,
): ThreadTimes | undefined {
  const fields = statFields(id);
  if (fields === undefined) return undefined;
  const ran = (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  const waited = fields[0] === 'R' ? Math.max(0, seconds - (ran - before.ran)) : 0;
  return { ran, waited: before.waited + waited };
}

let counts: boolean | undefined;

/** Whether the kernel counts waiting on the run queue: a process that ran has slices. */
export function countsWaiting(): boolean {
  if (counts === undefined) {
    const [, , slices = '0'] = (readText('/proc/self/schedstat') ?? '').trim().split(' ');
    counts = Number(slices) > 0;
  }
  return counts;
}

/** What a program was seen to do between two looks at it. */
export interface Interval {
  seconds: number;
  /** of it, for which this very process could not look after the program, which may have waited for that */
  unattended: number;
  /** of all its processes */
  cpuSeconds: number;
  before: Threads;
  after: Threads;
}

/**
 * The part of an interval that a program spent by its own doing: on a processor, or asleep with all its threads. In
 * the rest some thread was ready and none had a processor. The program sleeps no longer than its least sleepy
 * thread; what a thread waited while others of the program ran counts as their running.
 */
export function ownSeconds({ seconds, unattended, cpuSeconds, before, after }: Interval): number {
  const sleeps = [...after].map(([id, now]) => {
    const then = before.get(id) ?? { ran: 0, waited: 0 };
    return seconds - (now.ran - then.ran) - (now.waited - then.waited);
  });
  const asleep = Math.max(0, Math.min(seconds, ...sleeps) - unattended);
  return Math.min(seconds, cpuSeconds + asleep);
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

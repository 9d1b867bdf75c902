import { readdirSync, readFileSync } from 'node:fs';

/** A thread's processor times so far, in seconds. */
export interface ThreadTimes {
  /** running on a processor */
  ran: number;
  /** ready to run, but waiting for a processor */
  waited: number;
}

/** The times of threads, by thread id. */
export type Threads = ReadonlyMap<number, ThreadTimes>;

/** The kernel's unit in /proc/PID/stat, 100 a second on every Linux that Node runs on; see times(2). */
const TICKS_PER_SECOND = 100;

/** A process and its running descendants, including orphans where it is the first process of its pid namespace. */
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
 * Times of the threads that still exist. Where the kernel does not count waiting time, a thread that is ready to run
 * is taken to have waited since the last sample, `seconds` ago.
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

/** Whether the kernel counts waiting time on the run queue: it then reports time slices for this process. */
export function countsWaiting(): boolean {
  if (counts === undefined) {
    const [, , slices = '0'] = (readText('/proc/self/schedstat') ?? '').trim().split(' ');
    counts = Number(slices) > 0;
  }
  return counts;
}

/** A program's use of processors between two samples. */
export interface Interval {
  seconds: number;
  /** the part of it by which this process sampled late; the program may have waited for it in this time */
  unattended: number;
  /** CPU time of all its processes */
  cpuSeconds: number;
  before: Threads;
  after: Threads;
}

/**
 * The part of an interval in which a program ran, or slept with all its threads. In the rest of the interval, some
 * thread was ready and none had a processor. The program sleeps no longer than the thread that sleeps least. Time
 * that a thread waits while other threads of the program run counts as running.
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

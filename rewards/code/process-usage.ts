import { readdirSync, readFileSync } from 'node:fs';

/** What a tree of processes has asked of the processors so far, in seconds. */
export interface ProcessUsage {
  /** on a processor, ended and awaited descendants among them */
  cpuSeconds: number;
  /** ready to run, but kept waiting because others ran */
  waitedSeconds: number;
}

/** The kernel's unit in /proc/PID/stat, 100 a second on every Linux that Node runs on; see times(2). */
const TICKS_PER_SECOND = 100;

/**
 * Usage of a process and its living descendants. What ends between two readings unawaited is not counted.
 * Zeros when it is gone.
 */
export function usageOf(pid: number): ProcessUsage {
  const sum = { cpuSeconds: 0, waitedSeconds: 0 };
  for (const each of descendants(pid)) {
    sum.cpuSeconds += cpuSeconds(each);
    sum.waitedSeconds += waitedSeconds(each);
  }
  return sum;
}

function descendants(pid: number): number[] {
  const children = threads(pid).flatMap((thread) =>
    (readText(`/proc/${pid}/task/${thread}/children`) ?? '').split(' ').filter(Boolean).map(Number),
  );
  return [pid, ...children.flatMap(descendants)];
}

function threads(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}

/** proc(5), /proc/PID/stat: utime, stime, cutime, cstime are fields 14 to 17; the state is field 3. */
function cpuSeconds(pid: number): number {
  const stat = readText(`/proc/${pid}/stat`);
  if (stat === undefined) return 0;
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = fields.slice(11, 15).reduce((sum, each) => sum + Number(each), 0);
  return ticks / TICKS_PER_SECOND;
}

/** /proc/PID/task/TID/schedstat: time on a processor, time on a run queue (both ns), slices. */
function waitedSeconds(pid: number): number {
  const waits = threads(pid).map((thread) => {
    const [, waited = '0'] = (readText(`/proc/${pid}/task/${thread}/schedstat`) ?? '').split(' ');
    return Number(waited) / 1e9;
  });
  return waits.reduce((sum, each) => sum + each, 0);
}

/** Whether the kernel counts waiting on the run queue: a process that ran has slices. */
export function countsWaiting(): boolean {
  const [, , slices = '0'] = (readText('/proc/self/schedstat') ?? '').trim().split(' ');
  return Number(slices) > 0;
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

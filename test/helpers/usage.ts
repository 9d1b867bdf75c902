/** What processes and all that they have started use, from Linux's /proc. */
import { readdir, readFile } from 'node:fs/promises';

export interface Usage {
  /** bytes: proportional set sizes, so that what several processes share counts once */
  memory: number;
  /** of these, what lies in shared memory, such as PostgreSQL's buffers: bounded by its settings, filled as it goes */
  shared: number;
  /** seconds of processor time since they began, those included that they have outlived */
  cpu: number;
}

/** Of these processes and everything below them. */
export async function usageOf(pids: readonly number[]): Promise<Usage> {
  const usages = await Promise.all([...(await withDescendants(pids))].map(usageOfOne));
  const sum = (part: keyof Usage) => usages.reduce((total, usage) => total + usage[part], 0);
  return { memory: sum('memory'), shared: sum('shared'), cpu: sum('cpu') };
}

/** Seconds that all processors of the machine have been busy since it began: proc(5), /proc/stat. */
export async function machineCpu(): Promise<number> {
  const [line = ''] = (await readFile('/proc/stat', 'utf8')).split('\n');
  const [user, nice, system, , , irq, softirq, steal] = line.split(/\s+/).slice(1).map(Number);
  return (
    [user, nice, system, irq, softirq, steal].reduce<number>((sum, ticks) => sum + (ticks ?? 0), 0) / TICKS
  );
}

/** Clock ticks a second, as Linux tells them to programs. */
const TICKS = 100;

export async function withDescendants(pids: readonly number[]): Promise<Set<number>> {
  const parents = await parentsOf();
  const own = new Set(pids);
  for (let grown = true; grown; ) {
    const children = [...parents].filter(([pid, parent]) => own.has(parent) && !own.has(pid));
    for (const [pid] of children) own.add(pid);
    grown = children.length > 0;
  }
  return own;
}

/** Every process's parent. */
export async function parentsOf(): Promise<Map<number, number>> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const parents = pids.map(async (pid) => [pid, Number((await statOf(pid))[PARENT])] as const);
  return new Map((await Promise.all(parents)).filter(([, parent]) => !Number.isNaN(parent)));
}

/** Places in what follows the name in /proc/PID/stat; proc(5) counts the process's number and name as 1 and 2. */
const PARENT = 4 - 3;
const CPU_TIMES = { from: 14 - 3, to: 17 - 3 };

/** The fields after the name, which stands in brackets and may hold anything; none where the process has ended. */
async function statOf(pid: number): Promise<string[]> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

async function usageOfOne(pid: number): Promise<Usage> {
  const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '');
  const bytes = (name: string) =>
    1024 * Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(rollup)?.[1] ?? 0);
  const times = (await statOf(pid)).slice(CPU_TIMES.from, CPU_TIMES.to + 1);
  const cpu = times.reduce((sum, ticks) => sum + Number(ticks), 0) / TICKS;
  return { memory: bytes('Pss'), shared: bytes('Pss_Shmem'), cpu };
}

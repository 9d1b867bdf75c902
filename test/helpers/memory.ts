/** The memory of processes and all that they have started, from Linux's /proc. */
import { readdir, readFile } from 'node:fs/promises';

export interface Memory {
  /** bytes: proportional set sizes, so that what several processes share counts once */
  total: number;
  /** of these, what lies in shared memory, such as PostgreSQL's buffers: bounded by its settings, filled as it goes */
  shared: number;
}

/** Of these processes and everything below them. One that has ended meanwhile counts nothing. */
export async function memoryOf(pids: readonly number[]): Promise<Memory> {
  const sizes = await Promise.all([...(await withDescendants(pids))].map(sizeOf));
  const sum = (part: keyof Memory) => sizes.reduce((bytes, size) => bytes + size[part], 0);
  return { total: sum('total'), shared: sum('shared') };
}

async function withDescendants(pids: readonly number[]): Promise<Set<number>> {
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
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const stats = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')));
  return new Map(stats.filter(Boolean).map((stat) => [Number.parseInt(stat, 10), parentIn(stat)]));
}

/** Field 4 of /proc/PID/stat, after the name in brackets, which may hold anything. */
const parentIn = (stat: string) => Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);

async function sizeOf(pid: number): Promise<Memory> {
  const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '');
  const bytes = (name: string) =>
    1024 * Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(rollup)?.[1] ?? 0);
  return { total: bytes('Pss'), shared: bytes('Pss_Shmem') };
}

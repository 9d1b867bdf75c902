import { mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { threadId } from 'node:worker_threads';
import {
  type CgroupMount,
  ownFolder,
  parseCgroupMounts,
  parseOwnCgroups,
  upToMount,
} from './cgroup-layout.ts';

/** Limits on all processes of a group together. */
interface CgroupLimits {
  memoryBytes: number;
  processes: number;
}

/** The control group of one run. */
export interface Cgroup {
  add(pid: number): void;
  cpuSeconds(): number;
  /** ids of the threads in it */
  threads(): number[];
  /** whether the kernel killed any of its processes because memory ran out */
  killedForMemory(): boolean;
  /** Removes the group once its last processes have ended. Throws where they do not end. */
  remove(): Promise<void>;
}

/** Creates control groups of one version. */
export interface CgroupMaker {
  version: 1 | 2;
  make(limits: CgroupLimits): Cgroup;
}

const PREFIX = 'r1-sandbox';
let made = 0;

/** The control groups that this process may use, or the reason why it cannot use any. */
export function findCgroups(read = (path: string) => readFileSync(path, 'utf8')): CgroupMaker | string {
  try {
    const mounts = parseCgroupMounts(read('/proc/self/mountinfo'));
    const own = parseOwnCgroups(read('/proc/self/cgroup'));
    return version1(mounts, own) ?? version2(mounts, own) ?? 'this process may not create control groups';
  } catch (error) {
    return `control groups cannot be read: ${error instanceof Error ? error.message : String(error)}`;
  }
}

type OwnGroups = ReturnType<typeof parseOwnCgroups>;

function version1(mounts: CgroupMount[], own: OwnGroups): CgroupMaker | undefined {
  const folders = ['memory', 'pids', 'cpuacct'].map((controller) => {
    const mount = mounts.find((each) => each.version === 1 && each.controllers.includes(controller));
    const path = own.find((each) => each.controllers.includes(controller))?.path;
    return mount === undefined || path === undefined ? undefined : ownFolder(mount, path);
  });
  const [memory, pids, cpuacct] = folders;
  if (memory === undefined || pids === undefined || cpuacct === undefined) return undefined;
  return usable({ version: 1, make: (limits) => makeVersion1({ memory, pids, cpuacct }, limits) }, [
    memory,
    pids,
    cpuacct,
  ]);
}

function version2(mounts: CgroupMount[], own: OwnGroups): CgroupMaker | undefined {
  const mount = mounts.find((each) => each.version === 2);
  const path = own.find((each) => each.controllers.length === 0)?.path;
  if (mount === undefined || path === undefined) return undefined;
  for (const folder of upToMount(ownFolder(mount, path), mount.mountPoint)) {
    if (!delegates(folder)) continue;
    const maker = usable({ version: 2, make: (limits) => makeVersion2(folder, limits) }, [folder]);
    if (maker !== undefined) return maker;
  }
  return undefined;
}

/** Whether groups in this folder can limit memory and processes; enables the controllers where needed. */
function delegates(folder: string): boolean {
  const control = join(folder, 'cgroup.subtree_control');
  const enabled = () => {
    const names = readFileSync(control, 'utf8').trim().split(' ');
    return names.includes('memory') && names.includes('pids');
  };
  try {
    if (!enabled()) writeFileSync(control, '+memory +pids');
    return enabled();
  } catch {
    // A group with processes in it may not enable controllers for child groups; an ancestor may.
    return false;
  }
}

/** Removes groups left by processes that were killed, and tries to create one. */
function usable(maker: CgroupMaker, folders: readonly string[]): CgroupMaker | undefined {
  try {
    folders.forEach(removeLeftovers);
    const group = maker.make({ memoryBytes: 2 ** 26, processes: 8 });
    group.cpuSeconds();
    group.threads();
    group.killedForMemory();
    // Nothing runs in it, so the first attempt removes it.
    group.remove().catch(() => {});
    return maker;
  } catch {
    return undefined;
  }
}

function removeLeftovers(folder: string): void {
  for (const name of readdirSync(folder)) {
    const owner = new RegExp(`^${PREFIX}-(\\d+)-[\\d-]+$`).exec(name)?.[1];
    if (owner !== undefined && !isAlive(Number(owner))) removeNow(join(folder, name));
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function removeNow(folder: string): boolean {
  try {
    rmdirSync(folder);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT';
  }
}

/** Unique among the threads of this process too. */
const nextName = () => `${PREFIX}-${process.pid}-${threadId}-${++made}`;

/** Creates the folders, all or none, and writes the limits into them. */
function makeFolders(folders: readonly string[], files: ReadonlyMap<string, number>): void {
  try {
    for (const folder of folders) mkdirSync(folder);
    for (const [path, value] of files) writeFileSync(path, String(value));
  } catch (error) {
    folders.forEach(removeNow);
    throw error;
  }
}

async function removeAll(folders: readonly string[]): Promise<void> {
  const deadline = performance.now() + 10_000;
  let left = folders.filter((folder) => !removeNow(folder));
  for (let pause = 1; left.length > 0; pause = Math.min(2 * pause, 50)) {
    if (performance.now() > deadline) throw new Error(`processes did not end in ${left.join(', ')}`);
    await sleep(pause);
    left = left.filter((folder) => !removeNow(folder));
  }
}

/** The value of a key in a file of `key value` lines. */
function field(path: string, key: string): number {
  const line = readFileSync(path, 'utf8')
    .split('\n')
    .find((each) => each.startsWith(`${key} `));
  if (line === undefined) throw new Error(`${path} has no field ${key}`);
  return Number(line.slice(key.length + 1));
}

/** Whole numbers, one per line. */
const numbersIn = (path: string) => readFileSync(path, 'utf8').split('\n').filter(Boolean).map(Number);

function exists(folder: string, file: string): boolean {
  return readdirSync(folder).includes(file);
}

/** https://docs.kernel.org/admin-guide/cgroup-v1/memory.html, …/pids.html, …/cpuacct.html */
function makeVersion1(
  base: { memory: string; pids: string; cpuacct: string },
  { memoryBytes, processes }: CgroupLimits,
): Cgroup {
  const name = nextName();
  // Controllers may share one hierarchy (`cpu,cpuacct`).
  const memory = join(base.memory, name);
  const pids = join(base.pids, name);
  const cpuacct = join(base.cpuacct, name);
  const folders = [...new Set([memory, pids, cpuacct])];
  const swap = exists(base.memory, 'memory.memsw.usage_in_bytes');
  makeFolders(
    folders,
    new Map([
      [join(memory, 'memory.limit_in_bytes'), memoryBytes],
      ...(swap ? ([[join(memory, 'memory.memsw.limit_in_bytes'), memoryBytes]] as const) : []),
      [join(pids, 'pids.max'), processes],
    ]),
  );
  return {
    add: (pid) => {
      for (const folder of folders) writeFileSync(join(folder, 'cgroup.procs'), String(pid));
    },
    cpuSeconds: () => Number(readFileSync(join(cpuacct, 'cpuacct.usage'), 'utf8')) / 1e9,
    threads: () => numbersIn(join(pids, 'tasks')),
    killedForMemory: () => field(join(memory, 'memory.oom_control'), 'oom_kill') > 0,
    remove: () => removeAll(folders),
  };
}

/** https://docs.kernel.org/admin-guide/cgroup-v2.html */
function makeVersion2(base: string, { memoryBytes, processes }: CgroupLimits): Cgroup {
  const folder = join(base, nextName());
  makeFolders(
    [folder],
    new Map([
      [join(folder, 'memory.max'), memoryBytes],
      [join(folder, 'pids.max'), processes],
    ]),
  );
  if (exists(folder, 'memory.swap.max')) writeFileSync(join(folder, 'memory.swap.max'), '0');
  if (exists(folder, 'memory.oom.group')) writeFileSync(join(folder, 'memory.oom.group'), '1');
  return {
    add: (pid) => writeFileSync(join(folder, 'cgroup.procs'), String(pid)),
    cpuSeconds: () => field(join(folder, 'cpu.stat'), 'usage_usec') / 1e6,
    threads: () => numbersIn(join(folder, 'cgroup.threads')),
    killedForMemory: () => field(join(folder, 'memory.events'), 'oom_kill') > 0,
    remove: () => removeAll([folder]),
  };
}

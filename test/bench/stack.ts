/**
 * What a run costs besides its computing: the time of a step outside sampling, scoring and training, and the
 * memory of the whole stack with a run under way. On a stack of its own in a temporary folder.
 */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ShowDocument, StatusDocument, StepDocument } from '../../contracts/documents.ts';
import { r1, r1Json } from './r1.ts';

const RUN = 'bench';
const QUICK = ['max_steps=20', 'evaluation.problems=32', 'evaluation.k=4', 'eval_steps=0', 'save_steps=20'];

export interface StackFigure {
  /** seconds, over the steps after the first */
  medianOther: number;
  /** bytes, proportional set sizes of all processes */
  largestMemory: number;
}

export async function stackFigure(): Promise<StackFigure> {
  const home = await mkdtemp(join(tmpdir(), 'r1-bench-'));
  try {
    await r1(home, 'up');
    const settings = QUICK.flatMap((setting) => ['--set', setting]);
    await r1(home, 'launch', 'recipes/nano-zero.yaml', '--name', RUN, '--detach', ...settings);
    const largestMemory = await watchMemory(home);
    const steps = await r1Json<StepDocument[]>(home, 'steps', RUN);
    const others = steps.slice(1).map(({ secondsOther }) => secondsOther);
    others.sort((a, b) => a - b);
    return { medianOther: others[others.length >> 1] ?? Number.NaN, largestMemory };
  } finally {
    await r1(home, 'down', '--purge');
    await rm(home, { recursive: true, force: true });
  }
}

/** The largest memory seen until the run has ended. */
async function watchMemory(home: string): Promise<number> {
  let largest = 0;
  for (;;) {
    const { status } = await r1Json<ShowDocument>(home, 'show', RUN);
    largest = Math.max(largest, await memoryOf(home));
    if (status === 'complete') return largest;
    if (status !== 'running') throw new Error(`expected the run to go on, found it ${status}`);
    await sleep(1000);
  }
}

/** Bytes of the stack's processes and all that they have started. */
async function memoryOf(home: string): Promise<number> {
  const { processes } = await r1Json<StatusDocument>(home, 'status');
  const parents = await parentsOf();
  const own = new Set(processes.flatMap(({ pid }) => (pid === null ? [] : [pid])));
  const supervisors = [...own].flatMap((pid) => parents.get(pid) ?? []).filter((pid) => pid > 1);
  for (const pid of supervisors) own.add(pid);
  for (let grown = true; grown; ) {
    const children = [...parents].filter(([pid, parent]) => own.has(parent) && !own.has(pid));
    for (const [pid] of children) own.add(pid);
    grown = children.length > 0;
  }
  const sizes = await Promise.all([...own].map(proportionalSize));
  return sizes.reduce((sum, size) => sum + size, 0);
}

async function parentsOf(): Promise<Map<number, number>> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const stats = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')));
  return new Map(stats.filter(Boolean).map((stat) => [Number.parseInt(stat, 10), parentIn(stat)]));
}

/** Field 4 of /proc/PID/stat, after the name in brackets, which may hold anything. */
const parentIn = (stat: string) => Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);

async function proportionalSize(pid: number): Promise<number> {
  const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '');
  return 1024 * Number(/^Pss:\s+(\d+) kB/m.exec(rollup)?.[1] ?? 0);
}

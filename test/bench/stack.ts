/**
 * The overhead of a run: the time of a step outside of sampling, scoring and training, and the memory of the whole
 * stack during a run. Starts its own stack in a temporary folder.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ShowDocument, StatusDocument, StepDocument } from '../../contracts/documents.ts';
import { parentsOf, usageOf } from '../helpers/usage.ts';
import { r1, r1Json } from './r1.ts';

const RUN = 'bench';
const QUICK = ['max_steps=20', 'evaluation.problems=32', 'evaluation.k=4', 'eval_steps=0', 'save_steps=20'];

export interface StackFigure {
  /** median seconds, over the steps after the first */
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

/** The largest memory until the end of the run. */
async function watchMemory(home: string): Promise<number> {
  let largest = 0;
  for (;;) {
    const { status } = await r1Json<ShowDocument>(home, 'show', RUN);
    largest = Math.max(largest, await stackMemory(home));
    if (status === 'complete') return largest;
    if (status !== 'running') throw new Error(`expected a running run, found ${status}`);
    await sleep(1000);
  }
}

/** Memory of the stack's processes, its supervisor and their descendants, in bytes. */
async function stackMemory(home: string): Promise<number> {
  const { processes } = await r1Json<StatusDocument>(home, 'status');
  const own = processes.flatMap(({ pid }) => (pid === null ? [] : [pid]));
  const parents = await parentsOf();
  const supervisors = own.flatMap((pid) => parents.get(pid) ?? []).filter((pid) => pid > 1);
  return (await usageOf([...own, ...supervisors])).memory;
}

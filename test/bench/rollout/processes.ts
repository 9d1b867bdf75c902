/** The processes of the benchmark, each with a counting proxy before S3, and when they stored what. */
import type { Stack } from '../../../infra/stack.ts';
import { localWorkers, type WorkerSpec } from '../../../infra/supervisor/workers.ts';
import type { Crew } from '../../durability/ground.ts';
import { type CountingProxy, openCountingProxy } from './counting-proxy.ts';

export const PROCESSES = ['orchestrator', 'rewards', 'trainer'] as const;
export type ProcessName = (typeof PROCESSES)[number];
export const byProcess = <T>(of: (name: ProcessName) => T): Record<ProcessName, T> => ({
  orchestrator: of('orchestrator'),
  rewards: of('rewards'),
  trainer: of('trainer'),
});

/** When objects were stored, in milliseconds since the epoch. */
export class Marks {
  readonly times = new Map<string, number[]>();
  /** the last step's row */
  end = 0;

  written(kind: string): void {
    const times = this.times.get(kind) ?? [];
    this.times.set(kind, [...times, Date.now()]);
  }

  count(kind: string): number {
    return this.times.get(kind)?.length ?? 0;
  }

  /** of the nth object of this kind, from 1 */
  at(kind: string, nth: number): number {
    return this.times.get(kind)?.[nth - 1] ?? Number.NaN;
  }
}

export async function openProxies({ s3 }: Stack, marks: Marks): Promise<Record<ProcessName, CountingProxy>> {
  const open = () => openCountingProxy(s3.endpoint, (kind) => marks.written(kind));
  return { orchestrator: await open(), rewards: await open(), trainer: await open() };
}

/** The workers of the local stack, with the stub as trainer, each with a proxy of its own before S3. */
export function workersOf(
  proxies: Record<ProcessName, CountingProxy>,
  { meanTokens, maxTokens }: Record<'meanTokens' | 'maxTokens', number>,
): WorkerSpec[] {
  return localWorkers().map((worker) => ({
    ...worker,
    ...(worker.role === 'trainer' ? { module: 'test/bench/rollout/stub-trainer.ts' } : {}),
    environment: {
      R1_S3_ENDPOINT: proxies[worker.role].endpoint,
      BENCH_LENGTHS: `${meanTokens},${maxTokens}`,
    },
  }));
}

export function pidsOf(crew: Crew): Map<string, number> {
  const { processes } = crew.state();
  return new Map(
    PROCESSES.map((name) => {
      const pid = processes.find((process) => process.name === name)?.identity?.pid;
      if (pid === undefined) throw new Error(`expected a process ${name}, found none; see ${crew.log(name)}`);
      return [name, pid];
    }),
  );
}

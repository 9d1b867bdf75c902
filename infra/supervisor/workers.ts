import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { PROJECT_ROOT } from '../paths.ts';
import type { ManagedProcess } from './managed-process.ts';
import { role } from './state.ts';

/** A worker that the supervisor keeps alive. */
export const workerSpec = z.object({
  /** Unique among the processes, such as `trainer`. */
  name: z.string().regex(/^[a-z][\w-]*$/),
  role: role.extract(['orchestrator', 'trainer', 'rewards']),
  /** Path of its TypeScript file, relative to the project's root. */
  module: z.string(),
  /** Variables beyond those that every worker has. */
  environment: z.record(z.string(), z.string()).optional(),
});
export type WorkerSpec = z.infer<typeof workerSpec>;

/**
 * The workers of the local stack whose files exist: one of each role, and `trainers` trainers. Stages that run at the same
 * time (students, controls, reward models) need one trainer each.
 */
export function localWorkers(trainers = 1): WorkerSpec[] {
  const named = (['orchestrator', 'trainer', 'rewards'] as const).map((name) => ({ name, role: name }));
  const more = Array.from({ length: trainers - 1 }, (_, index) => ({
    name: `trainer-${index + 2}`,
    role: 'trainer' as const,
  }));
  return [...named, ...more]
    .map((worker) => ({ ...worker, module: `workers/${worker.role}.ts` }))
    .filter(({ module }) => existsSync(join(PROJECT_ROOT, module)));
}

/** A worker counts as ready once it is started: its task queue shows whether it serves. */
export function workerProcess(spec: WorkerSpec, environment: Record<string, string>): ManagedProcess {
  return {
    name: spec.name,
    role: spec.role,
    command: process.execPath,
    args: ['--import', 'tsx', spec.module],
    cwd: PROJECT_ROOT,
    environment: { ...environment, R1_WORKER_NAME: spec.name, ...spec.environment },
    isReady: () => Promise.resolve(true),
  };
}

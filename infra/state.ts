import { z } from 'zod';
import { readJson, writeAtomically } from './atomic-file.ts';
import { processIdentity } from './process-identity.ts';

/** What a process is for. */
export const ROLES = ['temporal', 'postgres', 's3', 'orchestrator', 'trainer', 'rewards'] as const;
export const role = z.enum(ROLES);
export type Role = z.infer<typeof role>;

/** One process under the supervisor. */
export const processRecord = z.object({
  name: z.string(),
  role,
  /** The living process; null while there is none. */
  identity: processIdentity.nullable(),
  state: z.enum(['starting', 'running', 'backing-off', 'stopped']),
  /** How many times it was started again after it had died. */
  restarts: z.int().nonnegative(),
  /** How it last ended: an exit code or a signal, and when (ISO 8601). */
  lastExit: z.object({ code: z.int().nullable(), signal: z.string().nullable(), at: z.string() }).nullable(),
  /** Path of its log. */
  log: z.string(),
});
export type ProcessRecord = z.infer<typeof processRecord>;

/** Where the three servers are, without any secret; `external` ones are not the supervisor's. */
export const addresses = z.object({
  temporal: z.object({
    external: z.boolean(),
    address: z.string(),
    namespace: z.string(),
    ui: z.string().nullable(),
  }),
  postgres: z.object({ external: z.boolean(), url: z.string() }),
  s3: z.object({
    external: z.boolean(),
    endpoint: z.string(),
    bucket: z.string(),
    region: z.string(),
    forcePathStyle: z.boolean(),
  }),
});
export type Addresses = z.infer<typeof addresses>;

/**
 * What the supervisor knows, written whole at every change; others read it.
 * Phases: starting → running → stopping → stopped, or starting → failed.
 */
export const stackState = z.object({
  version: z.literal(1),
  supervisor: processIdentity,
  phase: z.enum(['starting', 'running', 'stopping', 'stopped', 'failed']),
  /** Why the start failed. */
  error: z.string().nullable(),
  /** What a person is told while it starts and stops, oldest first. */
  progress: z.array(z.string()),
  addresses: addresses.nullable(),
  /** Folder of the local PostgreSQL's data, which may lie outside the home. */
  postgresData: z.string().nullable(),
  processes: z.array(processRecord),
});
export type StackState = z.infer<typeof stackState>;

export function readState(path: string): StackState | undefined {
  return readJson(path, stackState);
}

export function writeState(path: string, state: StackState): void {
  writeAtomically(path, `${JSON.stringify(state, null, 2)}\n`);
}

import { z } from 'zod';
import { messageOf } from '../errors.ts';
import { readJson, readJsonIfWhole, writeAtomically } from '../machine/atomic-file.ts';
import { processIdentity } from './process-identity.ts';

/** The roles of processes. */
export const ROLES = ['temporal', 'postgres', 's3', 'orchestrator', 'trainer', 'rewards'] as const;
export const role = z.enum(ROLES);
export type Role = z.infer<typeof role>;

/** One process under the supervisor. */
const processRecord = z.object({
  name: z.string(),
  role,
  /** The living process; null while there is none. */
  identity: processIdentity.nullable(),
  state: z.enum(['starting', 'running', 'backing-off', 'stopped']),
  /** How many times it was restarted after it had died. */
  restarts: z.int().nonnegative(),
  /** How it last ended: an exit code or a signal, and when (ISO 8601). */
  lastExit: z.object({ code: z.int().nullable(), signal: z.string().nullable(), at: z.string() }).nullable(),
  /** Path of its log. */
  log: z.string(),
});
export type ProcessRecord = z.infer<typeof processRecord>;

/** Addresses of the three servers, without secrets. The supervisor does not run the `external` ones. */
const addresses = z.object({
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
 * The supervisor's state, written at every change for other processes to read.
 * Phases: starting → running → stopping → stopped, or starting → failed.
 */
const stackState = z.object({
  version: z.literal(1),
  supervisor: processIdentity,
  phase: z.enum(['starting', 'running', 'stopping', 'stopped', 'failed']),
  /** Why the start failed. */
  error: z.string().nullable(),
  /** Lines of progress while it starts and stops, oldest first. */
  progress: z.array(z.string()),
  addresses: addresses.nullable(),
  /** Folder of the local PostgreSQL's data, which may be outside the home. */
  postgresData: z.string().nullable(),
  processes: z.array(processRecord),
});
export type StackState = z.infer<typeof stackState>;

/** @throws StackError where the file is not a state file. */
export function readState(path: string): StackState | undefined {
  return readJson(
    path,
    stackState,
    'Run `r1 up`: it repairs the file and starts what does not run; or stop everything: `r1 down`. ' +
      'Both find the processes of this home without the file.',
  );
}

/** The same, but undefined where the file is not a state file. */
export function readStateIfWhole(path: string): StackState | undefined {
  return readJsonIfWhole(path, stackState);
}

const RETRY_MS = 1000;

/**
 * Keeps the state file up to date. A write that fails (on a full disk) is tried again every second.
 */
export class StateFile {
  private readonly path: string;
  private readonly report: (line: string) => void;
  private current: StackState | undefined;
  private failingSince: number | undefined;
  private retry: NodeJS.Timeout | undefined;

  /** `report` gets a line when the file can no longer be written, and when it can be written again. */
  constructor(path: string, report: (line: string) => void) {
    this.path = path;
    this.report = report;
  }

  write(state: StackState): void {
    this.current = state;
    this.attempt();
  }

  /** Ends the retries. */
  close(): void {
    clearInterval(this.retry);
  }

  private attempt(): void {
    try {
      writeAtomically(this.path, `${JSON.stringify(this.current, null, 2)}\n`);
    } catch (error) {
      this.failed(error);
      return;
    }
    if (this.failingSince === undefined) return;
    const seconds = Math.ceil((Date.now() - this.failingSince) / 1000);
    this.failingSince = undefined;
    clearInterval(this.retry);
    this.report(`${this.path} can be written again, after ${seconds} s`);
  }

  private failed(error: unknown): void {
    if (this.failingSince !== undefined) return;
    this.failingSince = Date.now();
    this.retry = setInterval(() => this.attempt(), RETRY_MS);
    this.report(`${messageOf(error)} Retrying every second.`);
  }
}

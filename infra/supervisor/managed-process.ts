import type { Role } from './state.ts';

/** How a process is started, and how its readiness is checked. */
export type ManagedProcess = {
  name: string;
  role: Role;
  command: string;
  args: readonly string[];
  cwd: string;
  environment: Record<string, string>;
  /** The user that it runs as, where that is not the supervisor's. */
  user?: { uid: number; gid: number };
  /** Called before each start. */
  beforeStart?: () => void;
  /** Whether it is ready; a rejection means that it is not yet. */
  isReady: () => Promise<boolean>;
};

/** How processes of a role are stopped: the signal, the seconds until they are killed, and their group (lowest first). */
export type StopRule = { signal: NodeJS.Signals; graceSeconds: number; group: number };

/** Workers first, because they report to the servers while they stop; then the servers. */
export const STOP_RULES: Record<Role, StopRule> = {
  orchestrator: { signal: 'SIGTERM', graceSeconds: 20, group: 0 },
  trainer: { signal: 'SIGTERM', graceSeconds: 20, group: 0 },
  rewards: { signal: 'SIGTERM', graceSeconds: 20, group: 0 },
  temporal: { signal: 'SIGTERM', graceSeconds: 15, group: 1 },
  s3: { signal: 'SIGTERM', graceSeconds: 15, group: 2 },
  // PostgreSQL's "fast" shutdown: open transactions are rolled back, the rest is written.
  postgres: { signal: 'SIGINT', graceSeconds: 30, group: 3 },
};

/** Items by the groups in which they stop, the first group first. */
export function inStopOrder<Item extends { role: Role }>(items: readonly Item[]): Item[][] {
  const groups = [...new Set(items.map((item) => STOP_RULES[item.role].group))].sort((a, b) => a - b);
  return groups.map((group) => items.filter((item) => STOP_RULES[item.role].group === group));
}

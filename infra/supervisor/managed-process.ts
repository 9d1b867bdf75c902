import type { Role } from './state.ts';

/** How a process is started, and how it is known to be ready. */
export type ManagedProcess = {
  name: string;
  role: Role;
  command: string;
  args: readonly string[];
  cwd: string;
  environment: Record<string, string>;
  /** The user as whom it runs, where that is not the supervisor's. */
  user?: { uid: number; gid: number };
  /** Done before each start. */
  beforeStart?: () => void;
  /** Whether it serves now; a rejection means not yet. */
  isReady: () => Promise<boolean>;
};

/** How a process of a role is stopped: the signal that asks, the seconds it has, and its turn (lowest first). */
export type StopRule = { signal: NodeJS.Signals; graceSeconds: number; turn: number };

/** Workers first, so that they can still report; then the servers that they report to. */
export const STOP_RULES: Record<Role, StopRule> = {
  orchestrator: { signal: 'SIGTERM', graceSeconds: 20, turn: 0 },
  trainer: { signal: 'SIGTERM', graceSeconds: 20, turn: 0 },
  rewards: { signal: 'SIGTERM', graceSeconds: 20, turn: 0 },
  temporal: { signal: 'SIGTERM', graceSeconds: 15, turn: 1 },
  s3: { signal: 'SIGTERM', graceSeconds: 15, turn: 2 },
  // PostgreSQL's "fast" shutdown: open transactions are rolled back, the rest is written.
  postgres: { signal: 'SIGINT', graceSeconds: 30, turn: 3 },
};

/** Groups things by the turn in which they stop, first turn first. */
export function inStopOrder<Item extends { role: Role }>(items: readonly Item[]): Item[][] {
  const turns = [...new Set(items.map((item) => STOP_RULES[item.role].turn))].sort((a, b) => a - b);
  return turns.map((turn) => items.filter((item) => STOP_RULES[item.role].turn === turn));
}

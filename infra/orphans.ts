import { inStopOrder, STOP_RULES } from './managed-process.ts';
import { isAlive, killGroup, type ProcessIdentity, signal, waitForEnd } from './process-identity.ts';
import type { ProcessRecord, StackState } from './state.ts';

type Orphan = Pick<ProcessRecord, 'name' | 'role'> & { identity: ProcessIdentity };

/** Processes that a supervisor left behind when it was killed. */
export function orphansOf(state: StackState | undefined): Orphan[] {
  if (state === undefined || isAlive(state.supervisor)) return [];
  return state.processes.flatMap(({ name, role, identity }) =>
    identity !== null && isAlive(identity) ? [{ name, role, identity }] : [],
  );
}

/** Stops them as their supervisor would have, workers first. */
export async function stopOrphans(
  orphans: readonly Orphan[],
  onProgress: (line: string) => void,
): Promise<void> {
  for (const turn of inStopOrder(orphans)) {
    await Promise.all(turn.map((orphan) => stopOrphan(orphan, onProgress)));
  }
}

async function stopOrphan(
  { name, role, identity }: Orphan,
  onProgress: (line: string) => void,
): Promise<void> {
  onProgress(`${name} (process ${identity.pid}) was left by a supervisor that was killed: stopping it`);
  const rule = STOP_RULES[role];
  signal(identity, rule.signal);
  if (!(await waitForEnd(identity, rule.graceSeconds))) {
    signal(identity, 'SIGKILL');
    await waitForEnd(identity, 10);
  }
  killGroup(identity.pid);
}

import { inStopOrder, STOP_RULES } from './managed-process.ts';
import { isAlive, killGroup, signal, waitForEnd } from './process-identity.ts';
import { type HomeProcess, processesOfHome } from './processes-of-home.ts';
import type { StackState } from './state.ts';

/**
 * Processes that a killed supervisor left behind: those that its state file names, and others of this home, where the file
 * is lost or could not be written.
 */
export function orphansOf(home: string, state: StackState | undefined): HomeProcess[] {
  if (state !== undefined && isAlive(state.supervisor)) return [];
  const recorded = (state?.processes ?? []).flatMap(({ name, role, identity }) =>
    identity !== null && isAlive(identity) ? [{ name, role, identity }] : [],
  );
  const known = new Set(recorded.map(({ identity }) => identity.pid));
  return [...recorded, ...processesOfHome(home).filter(({ identity }) => !known.has(identity.pid))];
}

/** Stops them as their supervisor would, workers first. */
export async function stopOrphans(
  orphans: readonly HomeProcess[],
  onProgress: (line: string) => void,
): Promise<void> {
  for (const group of inStopOrder(orphans)) {
    await Promise.all(group.map((orphan) => stopOrphan(orphan, onProgress)));
  }
}

async function stopOrphan(
  { name, role, identity }: HomeProcess,
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

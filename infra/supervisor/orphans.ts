import { inStopOrder, STOP_RULES } from './managed-process.ts';
import { isAlive, killGroup, signal, waitForEnd } from './process-identity.ts';
import { type HomeProcess, processesOfHome } from './processes-of-home.ts';
import type { StackState } from './state.ts';

/**
 * Processes that a supervisor left behind when it was killed: those that its record names, and those that the record
 * does not know, where it is lost or could not be written.
 */
export function orphansOf(home: string, state: StackState | undefined): HomeProcess[] {
  if (state !== undefined && isAlive(state.supervisor)) return [];
  const recorded = (state?.processes ?? []).flatMap(({ name, role, identity }) =>
    identity !== null && isAlive(identity) ? [{ name, role, identity }] : [],
  );
  const known = new Set(recorded.map(({ identity }) => identity.pid));
  return [...recorded, ...processesOfHome(home).filter(({ identity }) => !known.has(identity.pid))];
}

/** Stops them as their supervisor would have, workers first. */
export async function stopOrphans(
  orphans: readonly HomeProcess[],
  onProgress: (line: string) => void,
): Promise<void> {
  for (const turn of inStopOrder(orphans)) {
    await Promise.all(turn.map((orphan) => stopOrphan(orphan, onProgress)));
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

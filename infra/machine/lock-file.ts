import { linkSync, renameSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  identityOf,
  isAlive,
  type ProcessIdentity,
  processIdentity,
} from '../supervisor/process-identity.ts';
import { isErrno, readIfThere, writeAtomically } from './atomic-file.ts';

/** The living process that holds the lock; undefined where none does. */
export function lockOwner(path: string): ProcessIdentity | undefined {
  const owner = parseOwner(readIfThere(path));
  return owner !== undefined && isAlive(owner) ? owner : undefined;
}

/**
 * Takes the lock for this process, or returns its holder. A lock whose holder is dead is taken over. The file is created
 * with `link`: that fails where the name exists, and the file is complete at once.
 */
export function takeLock(path: string): { taken: true } | { taken: false; owner: ProcessIdentity } {
  const self = identityOf(process.pid);
  if (self === undefined) throw new Error(`process ${process.pid} cannot read its own identity`);
  const own = `${path}.${process.pid}`;
  writeAtomically(own, JSON.stringify(self));
  try {
    for (;;) {
      if (tryLink(own, path)) return { taken: true };
      const owner = lockOwner(path);
      if (owner !== undefined) return { taken: false, owner };
      setAsideStale(path);
    }
  } finally {
    rmSync(own, { force: true });
  }
}

/** Releases the lock. */
export function dropLock(path: string): void {
  if (lockOwner(path)?.pid === process.pid) rmSync(path, { force: true });
}

/** Waits for the lock, and runs the action while holding it. */
export async function withLock<Result>(
  path: string,
  signal: AbortSignal,
  action: () => Promise<Result>,
): Promise<Result> {
  while (!takeLock(path).taken) await sleep(100, undefined, { signal });
  try {
    return await action();
  } finally {
    dropLock(path);
  }
}

function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return false;
    throw error;
  }
}

/** Two processes may find the same dead holder: only one rename succeeds. A living lock that it moved is put back. */
function setAsideStale(path: string): void {
  const aside = `${path}.stale-${process.pid}`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return;
    throw error;
  }
  if (lockOwner(aside) !== undefined) tryLink(aside, path);
  rmSync(aside, { force: true });
}

function parseOwner(content: string | undefined): ProcessIdentity | undefined {
  if (content === undefined) return undefined;
  try {
    return processIdentity.parse(JSON.parse(content));
  } catch {
    return undefined;
  }
}

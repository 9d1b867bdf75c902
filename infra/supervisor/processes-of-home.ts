import { readdirSync, readFileSync } from 'node:fs';
import { identityOf, type ProcessIdentity } from './process-identity.ts';
import { ROLES, type Role } from './state.ts';

/** A process that a supervisor of this home has started. */
export type HomeProcess = { name: string; role: Role; identity: ProcessIdentity };

/**
 * The living servers and workers of a home, found by their commands and environments: the home's state file may be lost
 * or out of date. Other processes of the user with the same R1_HOME (a shell, a command) are left out. Only Linux shows
 * this; the list is empty elsewhere.
 */
export function processesOfHome(home: string): HomeProcess[] {
  return entries('/proc').flatMap((name) => {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid) return [];
    const environment = new Map(words(`/proc/${pid}/environ`).map(splitVariable));
    if (environment.get('R1_HOME') !== home || !leadsGroup(pid)) return [];
    const known = serverOf(words(`/proc/${pid}/cmdline`)) ?? workerOf(environment.get('R1_WORKER_NAME'));
    const identity = identityOf(pid);
    return known === undefined || identity === undefined ? [] : [{ ...known, identity }];
  });
}

/** A server, recognised by arguments of its command. */
function serverOf(command: readonly string[]): Omit<HomeProcess, 'identity'> | undefined {
  const has = (...wanted: string[]) => wanted.every((word) => command.includes(word));
  if (has('server', 'start-dev', '--db-filename')) return { name: 'temporal', role: 'temporal' };
  if (command[1] === 'mini' && command.some((word) => word.startsWith('-dir=')))
    return { name: 's3', role: 's3' };
  if (command[0]?.endsWith('/postgres') && has('-D')) return { name: 'postgres', role: 'postgres' };
  return undefined;
}

/** A worker is named by its role, with a number where there are several. */
function workerOf(name: string | undefined): Omit<HomeProcess, 'identity'> | undefined {
  if (name === undefined) return undefined;
  return { name, role: ROLES.find((role) => name.startsWith(role)) ?? 'trainer' };
}

/** Processes that a supervisor starts lead their own process groups; the children of these processes do not. */
function leadsGroup(pid: number): boolean {
  const stat = read(`/proc/${pid}/stat`);
  // proc(5): the fields after the name are state, parent, group
  const group = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[2];
  return Number(group) === pid;
}

function splitVariable(variable: string): [string, string] {
  const at = variable.indexOf('=');
  return [variable.slice(0, at), variable.slice(at + 1)];
}

const words = (path: string) => read(path).split('\0').filter(Boolean);

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function entries(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

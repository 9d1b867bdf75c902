import { existsSync, readdirSync, rmSync } from 'node:fs';
import { type Connections, connectionsOf } from './connections.ts';
import { messageOf, StackError } from './errors.ts';
import { lockOwner } from './machine/lock-file.ts';
import { type HomePaths, homePaths } from './paths.ts';
import { checkDatabase, withoutPassword } from './servers/postgres.ts';
import { postgresDataOf } from './servers/postgres-install.ts';
import { readSecrets } from './servers/secrets.ts';
import { ensureNamespace } from './servers/temporal-namespace.ts';
import { readSettings, type Settings } from './settings.ts';
import { sendCommand } from './supervisor/control.ts';
import { orphansOf, stopOrphans } from './supervisor/orphans.ts';
import { isAlive, killGroup, signal, waitForEnd } from './supervisor/process-identity.ts';
import {
  type Addresses,
  type ProcessRecord,
  readState,
  readStateIfWhole,
  type StackState,
} from './supervisor/state.ts';
import { launchSupervisor } from './supervisor/supervisor-launch.ts';
import { localWorkers, type WorkerSpec } from './supervisor/workers.ts';

/** A running stack: addresses and credentials of its servers, and its processes. Contains secrets. */
export type Stack = Connections & {
  home: string;
  processes: ProcessRecord[];
  /** Folder of the local PostgreSQL's data; null where PostgreSQL is external. */
  postgresData: string | null;
};

export type StartOptions = {
  settings?: Settings;
  /** Workers to start once the servers are ready: those of the local stack, a list, or none. */
  workers?: boolean | readonly WorkerSpec[];
  /** Called with each line of progress. */
  onProgress?: (line: string) => void;
};

/** Longer than stopping takes: the grace times of all groups of processes together. */
const STOP_SECONDS = 120;

/**
 * Starts the stack, or finds it where it runs already; returns when its servers are ready.
 * @throws StackError when a server cannot be found, started or reached.
 */
export async function startStack(options: StartOptions = {}): Promise<Stack> {
  const settings = options.settings ?? readSettings();
  const onProgress = options.onProgress ?? (() => undefined);
  const paths = homePaths(settings.home);
  await checkExternal(settings);
  await repairState(paths);
  const found = ifRunning(readStateIfWhole(paths.state));
  const state = found ?? (await launchSupervisor(settings, paths, onProgress));
  const addresses = requireAddresses(state);
  refuseOtherAddresses(addresses, settings);
  if (!addresses.temporal.external) await ensureNamespace(addresses.temporal);
  const workers = workersOf(options.workers ?? true, settings);
  if (workers.length > 0) await ensureWorkers(workers, settings);
  return stackOf(readStateIfWhole(paths.state) ?? state, settings);
}

/** The stack that runs under this home; undefined where none does. */
export function findStack(settings: Settings = readSettings()): Stack | undefined {
  const state = ifRunning(readState(homePaths(settings.home).state));
  return state === undefined ? undefined : stackOf(state, settings);
}

/** Requests the supervisor to start the workers that do not run yet. */
export async function ensureWorkers(
  workers: readonly WorkerSpec[],
  settings: Settings = readSettings(),
): Promise<void> {
  try {
    await sendCommand(homePaths(settings.home).socket, 'ensure-workers', workers);
  } catch (error) {
    throw new StackError(
      `Expected the supervisor to start workers, found: ${messageOf(error)}. Run r1 up again.`,
    );
  }
}

/**
 * Stops the stack under this home, workers first; returns whether anything ran. `purge` then removes its data.
 * @throws StackError when a process does not end.
 */
export async function stopStack(
  options: { settings?: Settings; purge?: boolean; onProgress?: (line: string) => void } = {},
): Promise<boolean> {
  const settings = options.settings ?? readSettings();
  const onProgress = options.onProgress ?? (() => undefined);
  const paths = homePaths(settings.home);
  const supervised = await stopSupervisor(paths, onProgress);
  const state = readStateIfWhole(paths.state);
  const orphans = orphansOf(paths.home, state);
  await stopOrphans(orphans, onProgress);
  if (options.purge) purge(paths, state, onProgress);
  return supervised || orphans.length > 0;
}

function workersOf(workers: boolean | readonly WorkerSpec[], { trainers }: Settings): readonly WorkerSpec[] {
  if (typeof workers !== 'boolean') return workers;
  return workers ? localWorkers(trainers) : [];
}

/** A broken state file does not show whether a supervisor lives. One that does is requested to write the file again. */
async function repairState({ state, lock, socket }: HomePaths): Promise<void> {
  if (!existsSync(state) || readStateIfWhole(state) !== undefined) return;
  const owner = lockOwner(lock);
  if (owner === undefined) return;
  try {
    await sendCommand(socket, 'write-state');
  } catch (error) {
    throw new StackError(
      `${state}: expected the state of the stack, found something else, and its supervisor (process ${owner.pid}) ` +
        `does not write it again: ${messageOf(error)}. Stop the stack: r1 down.`,
    );
  }
}

/** The state of a living supervisor whose servers are ready. */
function ifRunning(state: StackState | undefined): StackState | undefined {
  return state?.phase === 'running' && isAlive(state.supervisor) ? state : undefined;
}

function requireAddresses(state: StackState): Addresses {
  if (state.addresses === null) throw new StackError('The stack runs without addresses. Stop it: r1 down.');
  return state.addresses;
}

function stackOf(state: StackState, settings: Settings): Stack {
  const secrets = readSecrets(homePaths(settings.home).secrets);
  if (secrets === undefined)
    throw new StackError(`${settings.home}: its secrets.json is missing. Stop the stack: r1 down --purge.`);
  const connections = connectionsOf(requireAddresses(state), settings, secrets);
  const { processes, postgresData } = state;
  return { ...connections, home: settings.home, processes, postgresData };
}

/** A running stack keeps the addresses with which it was started. */
function refuseOtherAddresses(running: Addresses, settings: Settings): void {
  const { temporal, postgres, s3 } = settings;
  const url = postgres.url === undefined ? undefined : withoutPassword(postgres.url);
  const differing = [
    ['R1_TEMPORAL_ADDRESS', running.temporal.external, running.temporal.address, temporal.address],
    ['R1_DATABASE_URL', running.postgres.external, running.postgres.url, url],
    ['R1_S3_ENDPOINT', running.s3.external, running.s3.endpoint, s3.endpoint],
  ].find(([, external, address, wanted]) => (external ? address : undefined) !== wanted);
  if (differing === undefined) return;
  const [variable, , address, wanted] = differing;
  throw new StackError(
    `${variable}: expected ${wanted ?? 'it to be set'}, found a stack that runs with ${address}. ` +
      'Set the variable as it was when that stack was started, or stop it first: r1 down.',
  );
}

/** External servers are checked before anything is started. */
async function checkExternal({ postgres, temporal }: Settings): Promise<void> {
  if (postgres.url !== undefined) await checkDatabase(postgres.url);
  const { address, namespace } = temporal;
  if (address !== undefined) await ensureNamespace({ address, namespace, external: true });
}

async function stopSupervisor(paths: HomePaths, onProgress: (line: string) => void): Promise<boolean> {
  const owner = lockOwner(paths.lock);
  if (owner === undefined) return false;
  signal(owner, 'SIGTERM');
  let shown = readStateIfWhole(paths.state)?.progress.length ?? 0;
  const deadline = Date.now() + STOP_SECONDS * 1000;
  while (!(await waitForEnd(owner, 0.2))) {
    const progress = readStateIfWhole(paths.state)?.progress ?? [];
    for (const line of progress.slice(shown)) onProgress(line);
    shown = progress.length;
    if (Date.now() > deadline) {
      onProgress(`the supervisor (process ${owner.pid}) did not end within ${STOP_SECONDS} s: killed`);
      killGroup(owner.pid);
      await waitForEnd(owner, 10);
    }
  }
  for (const line of (readStateIfWhole(paths.state)?.progress ?? []).slice(shown)) onProgress(line);
  return true;
}

/** Removes what the stack made, nothing else: the home may contain other files. */
function purge(paths: HomePaths, state: StackState | undefined, onProgress: (line: string) => void): void {
  const { home, ...made } = paths;
  const data = state?.postgresData ?? postgresDataOf(paths);
  for (const path of [...Object.values(made), data]) rmSync(path, { recursive: true, force: true });
  onProgress(`removed the data in ${home}${data === paths.postgres ? '' : ` and ${data}`}`);
  const left = existsSync(home) ? readdirSync(home) : [];
  if (left.length === 0) rmSync(home, { recursive: true, force: true });
  else onProgress(`kept ${left.join(', ')} in ${home}: not made by the stack`);
}

import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { StackError } from '../errors.ts';
import { asFileError, makeFolder, prepareHome } from '../machine/file-errors.ts';
import { lockOwner } from '../machine/lock-file.ts';
import { type HomePaths, PROJECT_ROOT } from '../paths.ts';
import { environmentFor, type Settings } from '../settings.ts';
import { readStateIfWhole, type StackState } from './state.ts';
import { tail } from './supervised-process.ts';

/** How long a supervisor may take to write its first state, in seconds. */
const FIRST_STATE_SECONDS = 60;

/** Exit code of a supervisor that finds another one running: EX_TEMPFAIL of sysexits.h. */
export const ANOTHER_RUNS = 75;

/** Starts a supervisor unless one runs already, and follows it until the servers are ready. */
export async function launchSupervisor(
  settings: Settings,
  paths: HomePaths,
  onProgress: (line: string) => void,
): Promise<StackState> {
  prepareHome(paths.home);
  for (;;) {
    const owner = lockOwner(paths.lock);
    const child = owner === undefined ? spawnSupervisor(settings, paths) : undefined;
    const state = await follow(paths, child, onProgress);
    if (state !== undefined) return state;
  }
}

/** In a new session and without a pipe to this process: it outlives the command that started it. */
function spawnSupervisor(settings: Settings, paths: HomePaths): ChildProcess {
  makeFolder(paths.logs);
  const log = openLog(join(paths.logs, 'supervisor.log'));
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', join('infra', 'supervisor', 'supervisor-main.ts')],
    {
      cwd: PROJECT_ROOT,
      env: environmentFor(settings),
      detached: true,
      stdio: ['ignore', log, log],
    },
  );
  closeSync(log);
  child.unref();
  return child;
}

function openLog(path: string): number {
  try {
    return openSync(path, 'a');
  } catch (error) {
    throw asFileError(error, `opening ${path}`);
  }
}

/**
 * Follows the supervisor that holds the lock, reporting its progress, until the servers are ready. Returns undefined where
 * that supervisor ended before, for example because it was being stopped: another one is then started.
 */
async function follow(
  paths: HomePaths,
  child: ChildProcess | undefined,
  onProgress: (line: string) => void,
): Promise<StackState | undefined> {
  let shown = 0;
  const deadline = Date.now() + FIRST_STATE_SECONDS * 1000;
  for (;;) {
    const owner = lockOwner(paths.lock);
    const state = readStateIfWhole(paths.state);
    const followed = state?.supervisor.pid;
    if (state !== undefined && (followed === owner?.pid || followed === child?.pid)) {
      if (state.phase !== 'stopping') state.progress.slice(shown).forEach((line) => void onProgress(line));
      shown = state.progress.length;
      if (state.phase === 'running') return state;
      if (state.phase === 'failed') throw new StackError(state.error ?? 'the stack could not be started');
    }
    if (owner === undefined && hasEnded(child)) {
      if (child === undefined || child.exitCode === ANOTHER_RUNS) return undefined;
      throw endedEarly(paths, child);
    }
    if (owner === undefined && Date.now() > deadline) throw endedEarly(paths, child);
    await sleep(100);
  }
}

function hasEnded(child: ChildProcess | undefined): boolean {
  return child === undefined || child.exitCode !== null || child.signalCode !== null;
}

function endedEarly(paths: HomePaths, child: ChildProcess | undefined): StackError {
  if (child?.exitCode === 0) {
    return new StackError('The stack was stopped before it was ready. Start it again: r1 up.');
  }
  const log = join(paths.logs, 'supervisor.log');
  const how = child?.exitCode ?? child?.signalCode ?? 'no answer';
  return new StackError(
    `Expected the supervisor to start, found that it ended (${how}). Its log, ${log}:\n${tail(log)}`,
  );
}

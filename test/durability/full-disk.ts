/** Grounds on small disks, which fill up while a run is under way. */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, renameSync, rmSync, statSync } from 'node:fs';
import { chmod, chown, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { whyDocument } from '../../contracts/documents.ts';
import { homePaths } from '../../infra/paths.ts';
import type { Settings } from '../../infra/settings.ts';
import { startStack, stopStack } from '../../infra/stack.ts';
import { isAlive } from '../../infra/supervisor/process-identity.ts';
import { readStateIfWhole, type StackState } from '../../infra/supervisor/state.ts';
import { mountSmallDisk, type SmallDisk } from '../helpers/small-disk.ts';
import { r1Json } from './command.ts';
import {
  awaitRest,
  awaitStep,
  type Crew,
  type Ground,
  launchRun,
  serverSettings,
  startCrew,
} from './ground.ts';

export const MAY_NOT_MOUNT = 'this user may not mount a file system';

/** A folder for a ground of its own. */
export const groundFolder = () => mkdtempSync(join(tmpdir(), 'r1-durability-'));

/** Moves the data of a ground's PostgreSQL, made for that, onto a disk of their own; undefined where that cannot be. */
export async function postgresOnSmallDisk(folder: string, megabytes: number): Promise<SmallDisk | undefined> {
  const settings = serverSettings(folder);
  const { postgresData } = await startStack({ settings, workers: false });
  await stopStack({ settings });
  assert.ok(postgresData);
  const { uid, gid } = statSync(postgresData);
  const aside = `${postgresData}.aside`;
  renameSync(postgresData, aside);
  const disk = mountSmallDisk(postgresData, megabytes);
  if (disk === undefined) {
    rmSync(postgresData, { recursive: true });
    renameSync(aside, postgresData);
    return undefined;
  }
  cpSync(aside, postgresData, { recursive: true, preserveTimestamps: true });
  await giveTo(postgresData, uid, gid);
  await chmod(postgresData, 0o700);
  rmSync(aside, { recursive: true });
  return disk;
}

async function giveTo(folder: string, uid: number, gid: number): Promise<void> {
  const entries = await readdir(folder, { recursive: true });
  await Promise.all(['.', ...entries].map((entry) => chown(join(folder, entry), uid, gid)));
}

/** A disk for everything that a ground has. */
export function homeOnSmallDisk(folder: string, megabytes: number): SmallDisk | undefined {
  mkdirSync(folder, { recursive: true });
  return mountSmallDisk(folder, megabytes);
}

interface Outage {
  /** the run's step at which the disk fills up */
  step: number;
  seconds: number;
  /** processes that are killed while it is full */
  killed: readonly string[];
  /** null: no live change */
  change?: null;
}

/**
 * Runs the ground's recipe; the disk fills up on the way and is emptied again, and nothing else is done. No supervisor
 * ends, and `r1 why` says what is the matter meanwhile.
 */
export async function runThroughFullDisk(
  ground: Ground,
  run: string,
  disk: SmallDisk,
  { step, seconds, killed, change }: Outage,
): Promise<string> {
  const crew = await startCrew(ground, run);
  try {
    const supervisors = supervisorsOf(ground, crew);
    await launchRun(ground, run, change);
    await awaitStep(ground, run, step);
    disk.fill();
    kill(ground, crew, killed);
    await sleep(1000 * seconds);
    assert.deepEqual(supervisorsOf(ground, crew), supervisors, 'a supervisor has ended');
    const { waitsFor, text } = await r1Json(ground.settings, whyDocument, 'why', run);
    assert.equal(waitsFor, 'disk', text);
    disk.empty();
    return await awaitRest(ground, run);
  } finally {
    disk.empty();
    await crew.stop();
  }
}

function supervisorsOf(ground: Ground, crew: Crew): number[] {
  return [ground.settings, crew.settings].flatMap((settings) => {
    const { supervisor } = stateOf(settings);
    return isAlive(supervisor) ? [supervisor.pid] : [];
  });
}

function kill(ground: Ground, crew: Crew, names: readonly string[]): void {
  const processes = [ground.settings, crew.settings].flatMap((settings) => stateOf(settings).processes);
  for (const name of names) {
    const identity = processes.find((process) => process.name === name)?.identity;
    assert.ok(identity, `${name} does not run`);
    process.kill(identity.pid, 'SIGKILL');
  }
}

function stateOf({ home }: Settings): StackState {
  const state = readStateIfWhole(homePaths(home).state);
  assert.ok(state, `no state of ${home}`);
  return state;
}

import { z } from 'zod';
import { Failure } from '../../contracts/failures.ts';
import type { BranchKey, StageKey } from '../../contracts/identity.ts';
import type { RewindTarget, Rewound } from '../../contracts/operator.ts';
import type { Database, Transaction } from '../database/database.ts';
import { insertRow, readRow } from '../database/rows.ts';
import { findCheckpoint } from '../steps/checkpoints.ts';
import { branchName, currentBranch, lastStep, lockCurrentBranchOf } from './branches.ts';

/**
 * Begins a new branch of a stage after what an operator names: a committed step of the current branch, its `latest`
 * checkpoint, or the URI of any checkpoint of this stage, also of an old branch.
 * @throws Failure 'InvalidInput' where that is not committed, or belongs to another stage.
 */
export async function rewind(database: Database, key: StageKey, from: RewindTarget): Promise<Rewound> {
  const { step, branch: parent } = await rewindPoint(database, key, from);
  const { branch } = await forkBranch(database, key, step, parent);
  return { branch, step };
}

interface RewindPoint {
  step: number;
  /** undefined: the current one */
  branch?: number;
}

async function rewindPoint(database: Database, key: StageKey, from: RewindTarget): Promise<RewindPoint> {
  if (typeof from === 'number') return { step: from };
  if (from === 'latest')
    return { step: await lastStep(database, await currentBranch(database, key), 'checkpoints') };
  const { run, stage, branch, step } = await findCheckpoint(database, from);
  if (run === key.run && stage === key.stage) return { step, branch };
  throw new Failure(
    'InvalidInput',
    `expected a checkpoint of ${key.run}/${key.stage}, found one of ${run}/${stage}. ` +
      `\`r1 show ${key.run}\` lists its own.`,
  );
}

/**
 * Begins a new branch that continues after `step` of the current branch, or of the branch `from`; later rows of that
 * branch stay readable. The old branch's trainers are superseded. Called again before anything has happened on the new
 * branch, it returns the same branch.
 * @throws Failure 'InvalidInput' where `step` is not committed.
 */
export async function forkBranch(
  database: Database,
  key: StageKey,
  step: number,
  from?: number,
): Promise<BranchKey> {
  return database.transaction(async (tx) => {
    const { branch: current } = await lockCurrentBranchOf(tx, key);
    const parent = { ...current, branch: from ?? current.branch };
    const untouched = await untouchedFork(tx, current, step);
    if (untouched !== undefined && (from === undefined || from === untouched.parent)) return current;
    await refuseUncommitted(tx, parent, step);
    return await insertBranch(tx, parent, step);
  });
}

/** The current branch itself, if it was forked after this step and has neither terms nor changes yet. */
async function untouchedFork(
  tx: Transaction,
  { run, stage, branch }: BranchKey,
  step: number,
): Promise<{ parent: number } | undefined> {
  return readRow(
    tx,
    'branches',
    z.object({ parent: z.int() }),
    `SELECT b.parent FROM branches b
     WHERE b.run = $1 AND b.stage = $2 AND b.branch = $3 AND b.parent IS NOT NULL AND b.fork_step = $4
       AND NOT EXISTS (SELECT FROM terms t WHERE t.run = $1 AND t.stage = $2 AND t.branch = $3)
       AND NOT EXISTS (SELECT FROM changes c WHERE c.run = $1 AND c.stage = $2 AND c.branch = $3)`,
    [run, stage, branch, step],
  );
}

/** The stage's current branch is locked: no other transaction adds a branch at the same time. */
async function insertBranch(
  tx: Transaction,
  { run, stage, branch: parent }: BranchKey,
  step: number,
): Promise<BranchKey> {
  const last = await readRow(
    tx,
    'branches',
    z.object({ branch: z.int() }),
    'SELECT max(branch) AS branch FROM branches WHERE run = $1 AND stage = $2',
    [run, stage],
  );
  const branch = (last?.branch ?? 0) + 1;
  await insertRow(tx, 'branches', { run, stage, branch, parent, fork_step: step });
  await tx.query('UPDATE stages SET branch = $3 WHERE run = $1 AND stage = $2', [run, stage, branch]);
  return { run, stage, branch };
}

async function refuseUncommitted(tx: Transaction, parent: BranchKey, step: number): Promise<void> {
  const last = await lastStep(tx, parent);
  if (Number.isInteger(step) && step >= 0 && step <= last) return;
  throw new Failure(
    'InvalidInput',
    `${branchName(parent)}: expected a step from 0 to ${last} to continue after, found ${step}. Choose a committed one.`,
  );
}

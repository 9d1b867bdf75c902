import { Failure } from '../../contracts/failures.ts';
import type { StageKey } from '../../contracts/identity.ts';
import type { RewindTarget, Rewound } from '../../contracts/operator.ts';
import type { Database } from '../database/database.ts';
import { findCheckpoint } from '../steps/checkpoint-names.ts';
import { currentBranch, forkBranch } from './branches.ts';
import { branchValues, rowsOfBranch } from './lineage.ts';

/**
 * Begins a new branch of a stage after what an operator names: a committed step of the current branch, its `latest`
 * checkpoint, or the URI of any checkpoint of this stage, also of a branch that was left.
 * @throws Failure 'InvalidInput' where that is not committed, or not this stage's.
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
  if (from === 'latest') return { step: await lastCheckpoint(database, key) };
  const { run, stage, branch, step } = await findCheckpoint(database, from);
  if (run === key.run && stage === key.stage) return { step, branch };
  throw new Failure(
    'InvalidInput',
    `expected a checkpoint of ${key.run}/${key.stage}, found one of ${run}/${stage}. ` +
      `\`r1 show ${key.run}\` tells its own.`,
  );
}

/** The step of the current branch's last checkpoint; 0 where only the one is there that the stage began with. */
async function lastCheckpoint(database: Database, key: StageKey): Promise<number> {
  const branch = await currentBranch(database, key);
  const [row] = await database.query<{ step: number }>(
    `SELECT coalesce(max(r.step), 0) AS step ${rowsOfBranch('checkpoints')}`,
    branchValues(branch),
  );
  return row?.step ?? 0;
}

import { Failure } from '../../contracts/failures.ts';
import type { BranchKey, StageKey } from '../../contracts/identity.ts';
import type { Database, Queryable, Transaction } from '../database/database.ts';

/** How messages name a branch. */
export const branchName = ({ run, stage, branch }: BranchKey) =>
  `${run}/${stage}${branch ? ` (branch ${branch})` : ''}`;

/** A branch as its row and its stage's row say. */
export interface BranchState {
  /** steps planned for the stage */
  steps: number;
  /** the stage's current branch: the only one that may grow */
  current: number;
  /** steps up to this one are the parent's */
  forkStep: number;
  /** the largest claimed term; 0 before any */
  term: number;
  holder: string | null;
}

/**
 * Makes this transaction the only one that writes to the branch until it ends, and reads where it stands.
 * The lock is taken first and the reading done after, so that it sees what the last holder committed.
 * @throws Failure 'InvalidInput' where there is no such branch.
 */
export async function lockBranch(tx: Transaction, key: BranchKey): Promise<BranchState> {
  const place = [key.run, key.stage, key.branch];
  await tx.query(
    'SELECT FROM branches WHERE run = $1 AND stage = $2 AND branch = $3 FOR NO KEY UPDATE',
    place,
  );
  const [state] = await tx.query<BranchState>(
    `SELECT s.steps, s.branch AS current, b.fork_step AS "forkStep", coalesce(t.term, 0) AS term, t.holder
     FROM branches b
     JOIN stages s USING (run, stage)
     LEFT JOIN LATERAL (
       SELECT term, holder FROM terms
       WHERE run = b.run AND stage = b.stage AND branch = b.branch ORDER BY term DESC LIMIT 1
     ) t ON true
     WHERE b.run = $1 AND b.stage = $2 AND b.branch = $3`,
    place,
  );
  return state ?? refuseUnknown(key);
}

/** The current branch of a stage. Throws Failure 'InvalidInput' where there is no such stage. */
export async function currentBranch(reader: Queryable, key: StageKey): Promise<BranchKey> {
  const [row] = await reader.query<{ branch: number }>(
    'SELECT branch FROM stages WHERE run = $1 AND stage = $2',
    [key.run, key.stage],
  );
  return row ? { run: key.run, stage: key.stage, branch: row.branch } : refuseUnknown({ ...key, branch: 0 });
}

/**
 * Rewinds a stage: a new branch goes on after `step` of its current one, or of the one named, whose later rows stay
 * readable. Its trainers are superseded with it. Asked again before anything has happened on the new branch, it
 * answers the same.
 * @throws Failure 'InvalidInput' where `step` is not committed.
 */
export async function forkBranch(
  database: Database,
  key: StageKey,
  step: number,
  from?: number,
): Promise<BranchKey> {
  return database.transaction(async (tx) => {
    const current = await currentBranch(tx, key);
    refuseRewound(current, await lockBranch(tx, current));
    const parent = { ...current, branch: from ?? current.branch };
    const untouched = await untouchedFork(tx, current, step);
    if (untouched !== null && (from === undefined || from === untouched.parent)) return current;
    await refuseUnreached(tx, parent, step);
    return await insertBranch(tx, parent, step);
  });
}

/** Refuses where the branch is no longer the stage's current one. */
export function refuseRewound({ run, stage, branch }: BranchKey, { current }: BranchState): void {
  if (current === branch) return;
  throw new Failure('Unavailable', `${run}/${stage} was rewound just now. Try again.`);
}

/** The current branch itself, if it was forked after this step and nothing has claimed or changed it since. */
async function untouchedFork(
  tx: Transaction,
  { run, stage, branch }: BranchKey,
  step: number,
): Promise<{ parent: number } | null> {
  const [row] = await tx.query<{ parent: number }>(
    `SELECT b.parent FROM branches b
     WHERE b.run = $1 AND b.stage = $2 AND b.branch = $3 AND b.parent IS NOT NULL AND b.fork_step = $4
       AND NOT EXISTS (SELECT FROM terms t WHERE t.run = $1 AND t.stage = $2 AND t.branch = $3)
       AND NOT EXISTS (SELECT FROM changes c WHERE c.run = $1 AND c.stage = $2 AND c.branch = $3)`,
    [run, stage, branch, step],
  );
  return row ?? null;
}

async function insertBranch(
  tx: Transaction,
  { run, stage, branch: parent }: BranchKey,
  step: number,
): Promise<BranchKey> {
  const [row] = await tx.query<{ branch: number }>(
    `INSERT INTO branches (run, stage, branch, parent, fork_step)
     SELECT $1, $2, max(branch) + 1, $3, $4 FROM branches WHERE run = $1 AND stage = $2
     RETURNING branch`,
    [run, stage, parent, step],
  );
  const branch = row?.branch ?? 0;
  await tx.query('UPDATE stages SET branch = $3 WHERE run = $1 AND stage = $2', [run, stage, branch]);
  return { run, stage, branch };
}

async function refuseUnreached(tx: Transaction, parent: BranchKey, step: number): Promise<void> {
  const [row] = await tx.query<{ step: number }>(
    `SELECT coalesce(max(s.step), 0) AS step
     FROM lineage($1, $2, $3) l
     JOIN steps s ON s.run = $1 AND s.stage = $2 AND s.branch = l.ancestor AND s.step <= l.up_to`,
    [parent.run, parent.stage, parent.branch],
  );
  const last = row?.step ?? 0;
  if (Number.isInteger(step) && step >= 0 && step <= last) return;
  throw new Failure(
    'InvalidInput',
    `${branchName(parent)}: expected a step from 0 to ${last} to go on from, found ${step}. Choose a committed one.`,
  );
}

function refuseUnknown(key: BranchKey): never {
  throw new Failure(
    'InvalidInput',
    `expected a stage "${key.stage}" with a branch ${key.branch} of run "${key.run}", found none. ` +
      '`r1 runs` lists the runs, `r1 show RUN` its stages.',
  );
}

import { Failure } from '../contracts/failures.ts';
import type { BranchKey, StageKey } from '../contracts/identity.ts';
import type { Change } from '../contracts/options.ts';
import { branchName, currentBranch, lockBranch } from './branches.ts';
import type { Database, Queryable } from './database.ts';
import { branchValues, rowsOfBranch } from './lineage.ts';

/**
 * Commits a live change to the stage's current branch (rule 7). It must take effect after the last logged
 * batch, so that no step is ever trained under numbers that a later change contradicts.
 * @throws Failure 'InvalidInput' naming the earliest step that is still open.
 */
export async function commitChange(database: Database, key: StageKey, change: Change): Promise<void> {
  await database.transaction(async (tx) => {
    const branch = await currentBranch(tx, key);
    const { steps } = await lockBranch(tx, branch);
    const earliest = (await lastBatch(tx, branch)) + 1;
    refuseOutside(branch, change, earliest, steps);
    await tx.query(
      `INSERT INTO changes (run, stage, branch, effective_step, field, value, author)
       VALUES ($1, $2, $3, $4, $5, $6, $7)`,
      [...branchValues(branch), change.effectiveStep, change.field, change.value, change.author],
    );
  });
}

function refuseOutside(
  branch: BranchKey,
  { effectiveStep, field }: Change,
  earliest: number,
  steps: number,
): void {
  if (effectiveStep >= earliest && effectiveStep <= steps) return;
  const open =
    earliest <= steps ? `a step from ${earliest} to ${steps}` : `no change: all ${steps} steps are logged`;
  throw new Failure(
    'InvalidInput',
    `${branchName(branch)}: expected ${open}, found ${field} to change at step ${effectiveStep}. ` +
      'Steps up to the last logged batch keep their numbers; choose a later one (--at-step).',
  );
}

async function lastBatch(reader: Queryable, key: BranchKey): Promise<number> {
  const [row] = await reader.query<{ step: number }>(
    `SELECT coalesce(max(r.step), 0) AS step ${rowsOfBranch('batches')}`,
    branchValues(key),
  );
  return row?.step ?? 0;
}

/** The changes committed for a branch, by effective step, and among equals in the order of their commit. */
export async function listChanges(reader: Queryable, key: BranchKey): Promise<Change[]> {
  return reader.query<Change>(
    `SELECT c.effective_step AS "effectiveStep", c.field, c.value, c.author
     FROM lineage($1, $2, $3) l
     JOIN changes c ON c.run = $1 AND c.stage = $2 AND c.branch = l.ancestor AND c.effective_step <= l.up_to
     ORDER BY c.effective_step, c.ordinal`,
    branchValues(key),
  );
}

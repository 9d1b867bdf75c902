import { problemsOfChanges } from '../../algorithm/run/live-changes.ts';
import { Failure } from '../../contracts/failures.ts';
import type { BranchKey, StageKey } from '../../contracts/identity.ts';
import type { SetRequest } from '../../contracts/operator.ts';
import { type Change, type ChangeableField, fieldsReadAtTheEnd } from '../../contracts/options.ts';
import type { RunPlan } from '../../contracts/plan.ts';
import type { Database, Queryable, Transaction } from '../database/database.ts';
import { branchName, currentBranch, lockBranch, refuseRewound } from './branches.ts';
import { branchValues, rowsOfBranch } from './lineage.ts';

/** Live changes that an operator asks for: all of them take effect at one step. */
export interface NewChanges {
  values: SetRequest['values'];
  /** null: the first step that is not logged yet */
  atStep: number | null;
  author: string;
}

/**
 * Commits live changes to the stage's current branch (rule 7), all or none. They must take effect after the last
 * logged batch, so that no step is ever trained under numbers that a later change contradicts.
 * @throws Failure 'InvalidInput' naming the earliest step that is still open, or every value out of bounds.
 */
export async function commitChanges(
  database: Database,
  key: StageKey,
  { values, atStep, author }: NewChanges,
): Promise<Change[]> {
  return database.transaction(async (tx) => {
    const branch = await currentBranch(tx, key);
    const state = await lockBranch(tx, branch);
    refuseRewound(branch, state);
    const earliest = (await lastBatch(tx, branch)) + 1;
    const effectiveStep = atStep ?? earliest;
    const changes = entriesOf(values).map(([field, value]) => ({ effectiveStep, field, value, author }));
    refuseOutside(branch, changes, effectiveStep, { earliest, last: lastOpen(changes, state.steps) });
    await refuseOutOfBounds(tx, branch, changes);
    for (const change of changes) await insertChange(tx, branch, change);
    return changes;
  });
}

const entriesOf = (values: SetRequest['values']) => Object.entries(values) as [ChangeableField, number][];

async function insertChange(tx: Transaction, branch: BranchKey, change: Change): Promise<void> {
  await tx.query(
    `INSERT INTO changes (run, stage, branch, effective_step, field, value, author)
     VALUES ($1, $2, $3, $4, $5, $6, $7)`,
    [...branchValues(branch), change.effectiveStep, change.field, change.value, change.author],
  );
}

/** What is read at the end may take effect after the last step. */
const lastOpen = (changes: readonly Change[], steps: number) =>
  changes.every(({ field }) => fieldsReadAtTheEnd.includes(field)) ? steps + 1 : steps;

function refuseOutside(
  branch: BranchKey,
  changes: readonly Change[],
  effectiveStep: number,
  { earliest, last }: { earliest: number; last: number },
): void {
  if (effectiveStep >= earliest && effectiveStep <= last) return;
  const open =
    earliest <= last ? `a step from ${earliest} to ${last}` : `no change: all ${last} steps are logged`;
  const fields = changes.map(({ field }) => field).join(', ');
  throw new Failure(
    'InvalidInput',
    `${branchName(branch)}: expected ${open}, found ${fields} to change at step ${effectiveStep}. ` +
      'Steps up to the last logged batch keep their numbers; choose a later one (--at-step).',
  );
}

async function refuseOutOfBounds(tx: Transaction, branch: BranchKey, changes: Change[]): Promise<void> {
  const [run] = await tx.query<{ plan: RunPlan }>('SELECT plan FROM runs WHERE run = $1', [branch.run]);
  const plan = run?.plan.stages.find(({ stage }) => stage === branch.stage);
  if (plan === undefined)
    throw new Failure('InvalidInput', `run "${branch.run}" has no plan of a stage "${branch.stage}"`);
  const problems = problemsOfChanges(plan, await listChanges(tx, branch), changes);
  if (problems.length === 0) return;
  throw new Failure('InvalidInput', `${branchName(branch)}: ${problems.join('; ')}. Nothing was changed.`);
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

import { problemsOfChanges } from '../../algorithm/run/live-changes.ts';
import { Failure } from '../../contracts/failures.ts';
import type { BranchKey, StageKey } from '../../contracts/identity.ts';
import type { SetRequest } from '../../contracts/operator.ts';
import {
  type Change,
  type ChangeableField,
  changeSchema,
  fieldsReadAtTheEnd,
} from '../../contracts/options.ts';
import type { Database, Queryable, Transaction } from '../database/database.ts';
import { insertRow, readRows } from '../database/rows.ts';
import { branchName, branchValues, lastStep, lockCurrentBranchOf } from './branches.ts';
import { readStagePlan } from './runs.ts';

/** Live changes that an operator requests: all of them take effect at one step. */
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
    const { branch, state } = await lockCurrentBranchOf(tx, key);
    const earliest = (await lastStep(tx, branch, 'batches')) + 1;
    const effectiveStep = atStep ?? earliest;
    const changes = entriesOf(values).map(([field, value]) => ({ effectiveStep, field, value, author }));
    refuseOutside(branch, changes, effectiveStep, { earliest, last: lastOpen(changes, state.steps) });
    await refuseOutOfBounds(tx, branch, changes);
    for (const { effectiveStep, ...change } of changes)
      await insertRow(tx, 'changes', { ...branch, effective_step: effectiveStep, ...change });
    return changes;
  });
}

const entriesOf = (values: SetRequest['values']) => Object.entries(values) as [ChangeableField, number][];

/** A field that is read after the last step may change at the step after it. */
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
  const plan = await readStagePlan(tx, branch);
  const problems = problemsOfChanges(plan, await listChanges(tx, branch), changes);
  if (problems.length === 0) return;
  throw new Failure('InvalidInput', `${branchName(branch)}: ${problems.join('; ')}. Nothing was changed.`);
}

/** The changes committed for a branch, by effective step, then in the order of their commit. */
export async function listChanges(reader: Queryable, key: BranchKey): Promise<Change[]> {
  return readRows(
    reader,
    'changes',
    changeSchema,
    `SELECT c.effective_step AS "effectiveStep", c.field, c.value, c.author
     FROM lineage($1, $2, $3) l
     JOIN changes c ON c.run = $1 AND c.stage = $2 AND c.branch = l.ancestor AND c.effective_step <= l.up_to
     ORDER BY c.effective_step, c.ordinal`,
    branchValues(key),
  );
}

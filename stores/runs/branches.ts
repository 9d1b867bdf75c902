import { z } from 'zod';
import { Failure } from '../../contracts/failures.ts';
import type { BranchKey, StageKey } from '../../contracts/identity.ts';
import type { Queryable, Transaction } from '../database/database.ts';
import { readRow } from '../database/rows.ts';

/** How messages name a branch. */
export const branchName = ({ run, stage, branch }: BranchKey) =>
  `${run}/${stage}${branch ? ` (branch ${branch})` : ''}`;

/** The parameters $1 to $3 of a query about a branch. */
export const branchValues = ({ run, stage, branch }: BranchKey) => [run, stage, branch];

/**
 * Rows of `table` that make up branch $3 of stage $2 of run $1, ancestors' rows included (see the function
 * `lineage` in the migrations), as a FROM clause with the alias `r`.
 */
export const rowsOfBranch = (table: 'batches' | 'steps' | 'checkpoints') =>
  `FROM lineage($1, $2, $3) l
   JOIN ${table} r ON r.run = $1 AND r.stage = $2 AND r.branch = l.ancestor AND r.step <= l.up_to`;

/** The last step of a branch that has a row in `table`, ancestors' rows included; 0 where none has. */
export async function lastStep(
  reader: Queryable,
  key: BranchKey,
  table: 'batches' | 'steps' | 'checkpoints' = 'steps',
): Promise<number> {
  const row = await readRow(
    reader,
    table,
    z.object({ step: z.int() }),
    `SELECT coalesce(max(r.step), 0) AS step ${rowsOfBranch(table)}`,
    branchValues(key),
  );
  return row?.step ?? 0;
}

const branchStateSchema = z.object({
  /** steps planned for the stage */
  steps: z.int(),
  /** the stage's current branch: the only one that may grow */
  current: z.int(),
  /** steps up to this one are the parent's */
  forkStep: z.int(),
  /** the largest claimed term; 0 before any */
  term: z.int(),
  holder: z.string().nullable(),
});
/** A branch, by its row and its stage's row. */
export type BranchState = z.infer<typeof branchStateSchema>;

/**
 * Locks the branch's row until the transaction ends, and reads the branch's state. The lock is taken before the state
 * is read: the state then includes what the last holder of the lock committed.
 * @throws Failure 'InvalidInput' where there is no such branch.
 */
async function lockBranch(tx: Transaction, key: BranchKey): Promise<BranchState> {
  await tx.query(
    'SELECT FROM branches WHERE run = $1 AND stage = $2 AND branch = $3 FOR NO KEY UPDATE',
    branchValues(key),
  );
  const state = await readRow(
    tx,
    'branches',
    branchStateSchema,
    `SELECT s.steps, s.branch AS current, b.fork_step AS "forkStep", coalesce(t.term, 0) AS term, t.holder
     FROM branches b
     JOIN stages s USING (run, stage)
     LEFT JOIN LATERAL (
       SELECT term, holder FROM terms
       WHERE run = b.run AND stage = b.stage AND branch = b.branch ORDER BY term DESC LIMIT 1
     ) t ON true
     WHERE b.run = $1 AND b.stage = $2 AND b.branch = $3`,
    branchValues(key),
  );
  return state ?? refuseUnknown(key);
}

/**
 * Locks the branch as `lockBranch` does.
 * @throws Failure 'SupersededTerm' where the stage was rewound and the branch is no longer its current one.
 */
export async function lockCurrentBranch(tx: Transaction, key: BranchKey): Promise<BranchState> {
  const state = await lockBranch(tx, key);
  if (state.current === key.branch) return state;
  throw new Failure(
    'SupersededTerm',
    `${branchName(key)}: the stage was rewound and continues as branch ${state.current}. ` +
      'Nothing was written; old branches can only be read.',
  );
}

/** The current branch of a stage. Throws Failure 'InvalidInput' where there is no such stage. */
export async function currentBranch(reader: Queryable, key: StageKey): Promise<BranchKey> {
  const row = await readRow(
    reader,
    'stages',
    z.object({ branch: z.int() }),
    'SELECT branch FROM stages WHERE run = $1 AND stage = $2',
    [key.run, key.stage],
  );
  return row ? { run: key.run, stage: key.stage, branch: row.branch } : refuseUnknown({ ...key, branch: 0 });
}

/** Locks the stage's current branch. Throws Failure 'Unavailable' where the stage is rewound at the same time. */
export async function lockCurrentBranchOf(
  tx: Transaction,
  key: StageKey,
): Promise<{ branch: BranchKey; state: BranchState }> {
  const branch = await currentBranch(tx, key);
  const state = await lockBranch(tx, branch);
  if (state.current === branch.branch) return { branch, state };
  throw new Failure('Unavailable', `${key.run}/${key.stage} was rewound just now. Try again.`);
}

function refuseUnknown(key: BranchKey): never {
  throw new Failure(
    'InvalidInput',
    `expected a stage "${key.stage}" with a branch ${key.branch} of run "${key.run}", found none. ` +
      '`r1 runs` lists the runs, `r1 show RUN` its stages.',
  );
}

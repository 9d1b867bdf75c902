import type { StageKey } from '../../contracts/identity.ts';
import type { Queryable } from '../database/database.ts';

/**
 * Rows of `table` that make up branch $3 of stage $2 of run $1, ancestors' rows included (see the function
 * `lineage` in the migrations), as a FROM clause with the alias `r`.
 */
export const rowsOfBranch = (table: 'batches' | 'steps' | 'checkpoints') =>
  `FROM lineage($1, $2, $3) l
   JOIN ${table} r ON r.run = $1 AND r.stage = $2 AND r.branch = l.ancestor AND r.step <= l.up_to`;

/** The parameters that `rowsOfBranch` expects. */
export const branchValues = ({ run, stage, branch }: StageKey & { branch: number }) => [run, stage, branch];

/** The last step of a branch whose row is committed; the fork's own where none is, 0 for the first branch. */
export async function lastStep(reader: Queryable, key: StageKey & { branch: number }): Promise<number> {
  const [row] = await reader.query<{ step: number }>(
    `SELECT coalesce(max(r.step), 0) AS step ${rowsOfBranch('steps')}`,
    branchValues(key),
  );
  return row?.step ?? 0;
}

import type { NumericsChange } from '../../contracts/activities.ts';
import type { BranchKey } from '../../contracts/identity.ts';
import type { Queryable } from '../database/database.ts';
import { branchValues } from './lineage.ts';

/** The seams of a branch (rule 12), by step: where a step is recorded under other numerics than the one before it. */
export async function listNumericsChanges(reader: Queryable, key: BranchKey): Promise<NumericsChange[]> {
  return reader.query<NumericsChange>(
    `WITH line AS (
       SELECT s.step, s.seam, s.numerics AS after, lag(s.numerics) OVER (ORDER BY s.step) AS before
       FROM lineage($1, $2, $3) l
       JOIN steps s ON s.run = $1 AND s.stage = $2 AND s.branch = l.ancestor AND s.step <= l.up_to
     )
     SELECT step, before, after FROM line
     WHERE seam AND before IS NOT NULL ORDER BY step`,
    branchValues(key),
  );
}

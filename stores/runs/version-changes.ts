/** Where a branch continued under other numerics or other versions of verifiers. */
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { verifierChanges } from '../../algorithm/run/verifier-changes.ts';
import type { NumericsChange, VerifierChange } from '../../contracts/activities.ts';
import { numericsChangeDocument } from '../../contracts/documents.ts';
import type { BranchKey, StepKey } from '../../contracts/identity.ts';
import type { Queryable } from '../database/database.ts';
import { readRows } from '../database/rows.ts';
import { branchValues, rowsOfBranch } from './branches.ts';

/** The numerics changes of a branch (rule 12), by step: each step recorded under other numerics than the step before. */
export async function listNumericsChanges(reader: Queryable, key: BranchKey): Promise<NumericsChange[]> {
  return readRows(
    reader,
    'steps',
    numericsChangeDocument,
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

const versionsSchema = z.record(z.string(), z.int());

/** Where a branch's batches and evaluations continued under other versions of verifiers, by step. */
export async function listVerifierChanges(reader: Queryable, key: BranchKey): Promise<VerifierChange[]> {
  // An evaluation after step s comes before the batch of step s + 1. Rows equal to the row before are left out.
  const judged = await readRows(
    reader,
    'batches and evaluations',
    z.object({ step: z.int(), verifiers: versionsSchema }),
    `WITH judged AS (
       SELECT b.step, b.step AS position, b.verifiers FROM lineage($1, $2, $3) l
       JOIN batches b ON b.run = $1 AND b.stage = $2 AND b.branch = l.ancestor AND b.step <= l.up_to
       WHERE b.verifiers IS NOT NULL
       UNION ALL
       SELECT e.step, e.step + 0.5 AS position, e.verifiers FROM lineage($1, $2, $3) l
       JOIN evaluations e ON e.run = $1 AND e.stage = $2 AND e.branch = l.ancestor AND e.step <= l.up_to
       WHERE e.verifiers IS NOT NULL
     ), line AS (SELECT *, lag(verifiers) OVER (ORDER BY position) AS before FROM judged)
     SELECT step, verifiers FROM line WHERE verifiers IS DISTINCT FROM before ORDER BY position`,
    branchValues(key),
  );
  return verifierChanges(judged);
}

/** The verifier change that begins with a step's batch; null where the batch before it had the same versions. */
export async function verifierChangeAt(reader: Queryable, key: StepKey): Promise<VerifierChange | null> {
  const [last, before] = await readRows(
    reader,
    'batches',
    z.object({ verifiers: versionsSchema }),
    `SELECT r.verifiers ${rowsOfBranch('batches')}
     WHERE r.step <= $4 AND r.verifiers IS NOT NULL ORDER BY r.step DESC LIMIT 2`,
    [...branchValues(key), key.step],
  );
  if (before === undefined || isDeepStrictEqual(last, before)) return null;
  const changes = await listVerifierChanges(reader, key);
  return changes.find(({ step }) => step === key.step) ?? null;
}

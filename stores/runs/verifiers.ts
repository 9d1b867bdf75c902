import { isDeepStrictEqual } from 'node:util';
import { verifierChanges } from '../../algorithm/run/verifier-changes.ts';
import type { VerifierChange, VerifierVersions } from '../../contracts/activities.ts';
import type { BranchKey, StepKey } from '../../contracts/identity.ts';
import type { Queryable } from '../database/database.ts';
import { branchValues, rowsOfBranch } from './lineage.ts';

/** Where a branch's batches and evaluations went on under other versions of verifiers, by step. */
export async function listVerifierChanges(reader: Queryable, key: BranchKey): Promise<VerifierChange[]> {
  // An evaluation after step s stands before the batch of step s + 1. Only rows that differ from the one before count.
  const judged = await reader.query<{ step: number; verifiers: VerifierVersions }>(
    `WITH judged AS (
       SELECT b.step, b.step AS place, b.verifiers FROM lineage($1, $2, $3) l
       JOIN batches b ON b.run = $1 AND b.stage = $2 AND b.branch = l.ancestor AND b.step <= l.up_to
       WHERE b.verifiers IS NOT NULL
       UNION ALL
       SELECT e.step, e.step + 0.5 AS place, e.verifiers FROM lineage($1, $2, $3) l
       JOIN evaluations e ON e.run = $1 AND e.stage = $2 AND e.branch = l.ancestor AND e.step <= l.up_to
       WHERE e.verifiers IS NOT NULL
     ), line AS (SELECT *, lag(verifiers) OVER (ORDER BY place) AS before FROM judged)
     SELECT step, verifiers FROM line WHERE verifiers IS DISTINCT FROM before ORDER BY place`,
    branchValues(key),
  );
  return verifierChanges(judged);
}

/** The change that begins with a step's batch; null where it was judged as the batch before it. */
export async function verifierChangeAt(reader: Queryable, key: StepKey): Promise<VerifierChange | null> {
  const [last, before] = await reader.query<{ verifiers: VerifierVersions }>(
    `SELECT r.verifiers ${rowsOfBranch('batches')}
     WHERE r.step <= $4 AND r.verifiers IS NOT NULL ORDER BY r.step DESC LIMIT 2`,
    [...branchValues(key), key.step],
  );
  if (before === undefined || isDeepStrictEqual(last, before)) return null;
  const changes = await listVerifierChanges(reader, key);
  return changes.find(({ step }) => step === key.step) ?? null;
}

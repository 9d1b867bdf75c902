import type { ShowDocument } from '../../contracts/documents.ts';
import { Failure } from '../../contracts/failures.ts';
import type { StageKey } from '../../contracts/identity.ts';
import type { StageStatus } from '../../contracts/stage-state.ts';
import type { Database, Queryable, Transaction } from '../database/database.ts';
import { currentBranch } from './branches.ts';
import { listChanges } from './changes.ts';
import { lastStep } from './lineage.ts';
import { listNumericsChanges } from './numerics-changes.ts';
import { listVerifierChanges } from './verifiers.ts';

export { readPosition } from './stage-position.ts';

/**
 * Says how a stage stands; `reason` where it is parked.
 * @throws Failure 'InvalidInput' where there is no such stage; 'Contradiction' where it is said to be complete
 * and the step reached is not the step planned (rule 14).
 */
export async function setStageStatus(
  database: Database,
  key: StageKey,
  status: StageStatus,
  reason: string | null = null,
): Promise<void> {
  await database.transaction(async (tx) => {
    const branch = await currentBranch(tx, key);
    if (status === 'complete') await refuseUnfinished(tx, branch);
    await tx.query(
      `UPDATE stages SET status = $3, reason = $4,
         started_at = CASE WHEN $3 = 'running' THEN coalesce(started_at, now()) ELSE started_at END,
         finished_at = CASE WHEN $3 IN ('complete', 'aborted') THEN coalesce(finished_at, now()) END
       WHERE run = $1 AND stage = $2`,
      [key.run, key.stage, status, reason],
    );
  });
}

/** What the run's stages under way make of it: parked before paused before running; null where none is under way. */
export async function standingOf(
  reader: Queryable,
  run: string,
): Promise<{ status: 'running' | 'paused' | 'parked' | null; reason: string | null }> {
  const [row] = await reader.query<{ status: 'running' | 'paused' | 'parked'; reason: string | null }>(
    `SELECT status, reason FROM stages WHERE run = $1 AND status IN ('parked', 'paused', 'running')
     ORDER BY array_position(ARRAY['parked', 'paused', 'running'], status), position LIMIT 1`,
    [run],
  );
  return row ?? { status: null, reason: null };
}

async function refuseUnfinished(tx: Transaction, key: StageKey & { branch: number }): Promise<void> {
  const [stage] = await tx.query<{ steps: number }>(
    'SELECT steps FROM stages WHERE run = $1 AND stage = $2 FOR NO KEY UPDATE',
    [key.run, key.stage],
  );
  const reached = await lastStep(tx, key);
  if (stage?.steps === reached) return;
  throw new Failure(
    'Contradiction',
    `${key.run}/${key.stage}: expected step ${stage?.steps} before it is complete, found step ${reached}. ` +
      'Train the rest (`r1 retry`), or abort the stage.',
  );
}

type StageDocument = ShowDocument['stages'][number];

/**
 * A run's stages in the recipe's order, with the step and the checkpoint that each has reached, its live changes and

 * its seams and changes of verifiers.
 */
export async function listStages(reader: Queryable, run: string): Promise<StageDocument[]> {
  const documents: StageDocument[] = [];
  for (const stage of await listStanding(reader, run)) {
    const key = { run, stage: stage.stage, branch: stage.branch };
    const changes = await listChanges(reader, key);
    const seams = await listNumericsChanges(reader, key);
    const verifiers = await listVerifierChanges(reader, key);
    documents.push({ ...stage, changes, seams, verifierChanges: verifiers });
  }
  return documents;
}

async function listStanding(
  reader: Queryable,
  run: string,
): Promise<Omit<StageDocument, 'changes' | 'seams' | 'verifierChanges'>[]> {
  return reader.query<Omit<StageDocument, 'changes' | 'seams' | 'verifierChanges'>>(
    `SELECT st.stage, st.algorithm, st.origin, coalesce(r.plan #> ARRAY['stages', st.position::text, 'needs'], '[]') AS needs,
       'r1/' || st.run || '/' || st.stage AS "workflowId", 'r1/' || st.run AS "parentWorkflowId",
       st.data_set AS dataset, st.measure, st.status, st.reason, st.branch, coalesce(reached.step, 0) AS step, st.steps,
       saved.checkpoint, st.started_at AS "startedAt", st.finished_at AS "finishedAt"
     FROM stages st JOIN runs r USING (run)
     LEFT JOIN LATERAL (
       SELECT max(s.step) AS step
       FROM lineage(st.run, st.stage, st.branch) l
       JOIN steps s ON s.run = st.run AND s.stage = st.stage AND s.branch = l.ancestor AND s.step <= l.up_to
     ) reached ON true
     LEFT JOIN LATERAL (
       SELECT jsonb_build_object('uri', c.manifest -> 'uri', 'digest', c.digests -> 'weights') AS checkpoint
       FROM lineage(st.run, st.stage, st.branch) l
       JOIN checkpoints c ON c.run = st.run AND c.stage = st.stage AND c.branch = l.ancestor AND c.step <= l.up_to
       ORDER BY c.step DESC LIMIT 1
     ) saved ON true
     WHERE st.run = $1 ORDER BY st.position`,
    [run],
  );
}

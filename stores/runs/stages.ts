import { z } from 'zod';
import type { RewardModelMeasure } from '../../contracts/activities.ts';
import { type ShowDocument, showDocument } from '../../contracts/documents.ts';
import { Failure } from '../../contracts/failures.ts';
import type { BranchKey, StageKey } from '../../contracts/identity.ts';
import { referenceSchema, sha256Schema } from '../../contracts/reference.ts';
import type { CommittedCheckpoint, StageStatus } from '../../contracts/stage-state.ts';
import { digestsSchema } from '../../contracts/training.ts';
import type { Database, Queryable, Transaction } from '../database/database.ts';
import { json, readRow, readRows } from '../database/rows.ts';
import { currentBranch, lastStep } from './branches.ts';
import { listChanges } from './changes.ts';
import { listNumericsChanges, listVerifierChanges } from './version-changes.ts';

/**
 * Sets a stage's status, and the reason where it is parked.
 * @throws Failure 'InvalidInput' where there is no such stage; 'Contradiction' where the status is `complete` and the
 * step reached is not the step planned (rule 14).
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

async function refuseUnfinished(tx: Transaction, key: BranchKey): Promise<void> {
  const stage = await readRow(
    tx,
    'stages',
    z.object({ steps: z.int() }),
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

const activeSchema = z.object({
  status: z.enum(['running', 'paused', 'parked']),
  reason: z.string().nullable(),
});

/**
 * The status that a run has by its active stages: parked before paused before running, with that stage's reason. Null
 * where no stage is active.
 */
export async function statusByStages(
  reader: Queryable,
  run: string,
): Promise<z.infer<typeof activeSchema> | { status: null; reason: null }> {
  const row = await readRow(
    reader,
    'stages',
    activeSchema,
    `SELECT status, reason FROM stages WHERE run = $1 AND status IN ('parked', 'paused', 'running')
     ORDER BY array_position(ARRAY['parked', 'paused', 'running'], status), position LIMIT 1`,
    [run],
  );
  return row ?? { status: null, reason: null };
}

const initialSchema = z.object({ manifest: referenceSchema.nullable(), digests: digestsSchema.nullable() });

/** The checkpoint that a stage starts from; null until it is settled. */
export async function readInitial(
  reader: Queryable,
  { run, stage }: StageKey,
): Promise<CommittedCheckpoint | null> {
  const row = await readRow(
    reader,
    'stages',
    initialSchema,
    `SELECT initial_manifest AS manifest, initial_digests AS digests FROM stages WHERE run = $1 AND stage = $2`,
    [run, stage],
  );
  return row?.manifest && row.digests ? { step: 0, manifest: row.manifest, digests: row.digests } : null;
}

/** Settles which checkpoint a stage starts from. It is settled once: a later call changes nothing. */
export async function settleInitial(
  database: Database,
  key: StageKey,
  { manifest, digests }: CommittedCheckpoint,
): Promise<void> {
  await database.query(
    `UPDATE stages SET initial_manifest = $3, initial_digests = $4
     WHERE run = $1 AND stage = $2 AND initial_manifest IS NULL`,
    [key.run, key.stage, json(manifest), json(digests)],
  );
}

/** Digest of the examples that a supervised stage trains on; null until they are made. */
export async function findStageDataset(reader: Queryable, { run, stage }: StageKey): Promise<string | null> {
  const row = await readRow(
    reader,
    'stages',
    z.object({ digest: sha256Schema.nullable() }),
    'SELECT data_set AS digest FROM stages WHERE run = $1 AND stage = $2',
    [run, stage],
  );
  return row?.digest ?? null;
}

/** Throws Failure 'Contradiction' where the stage's examples are not made yet. */
export async function readStageDataset(reader: Queryable, key: StageKey): Promise<string> {
  const digest = await findStageDataset(reader, key);
  if (digest !== null) return digest;
  throw new Failure(
    'Contradiction',
    `${key.run}/${key.stage}: expected the data set that it trains on, found none: its examples are not made yet`,
  );
}

/** Settles which data set a stage trains on. It is settled once: a later call changes nothing. */
export async function settleStageDataset(writer: Queryable, key: StageKey, digest: string): Promise<void> {
  await writer.query('UPDATE stages SET data_set = $3 WHERE run = $1 AND stage = $2 AND data_set IS NULL', [
    key.run,
    key.stage,
    digest,
  ]);
}

/** Stores how well a reward model ranks held-out preferences; a later measurement replaces an earlier one. */
export async function setMeasure(
  writer: Queryable,
  key: StageKey,
  measure: RewardModelMeasure,
): Promise<void> {
  await writer.query('UPDATE stages SET measure = $3 WHERE run = $1 AND stage = $2', [
    key.run,
    key.stage,
    json(measure),
  ]);
}

type StageDocument = ShowDocument['stages'][number];

/**
 * A run's stages in the recipe's order, with the step and the checkpoint that each has reached, its live changes, and
 * its changes of numerics and verifiers.
 */
export async function listStages(reader: Queryable, run: string): Promise<StageDocument[]> {
  const documents: StageDocument[] = [];
  for (const stage of await readStages(reader, run)) {
    const key = { run, stage: stage.stage, branch: stage.branch };
    const changes = await listChanges(reader, key);
    const seams = await listNumericsChanges(reader, key);
    const verifierChanges = await listVerifierChanges(reader, key);
    documents.push({ ...stage, changes, seams, verifierChanges });
  }
  return documents;
}

const stageRowSchema = showDocument.shape.stages.element.omit({
  changes: true,
  seams: true,
  verifierChanges: true,
});

async function readStages(reader: Queryable, run: string): Promise<z.infer<typeof stageRowSchema>[]> {
  return readRows(
    reader,
    'stages',
    stageRowSchema,
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

/** The rows that decide which checkpoints of a stage are kept, and those of deleted ones. */
import { z } from 'zod';
import { decideRetention, type Retention, type RetentionRows } from '../../algorithm/run/retention.ts';
import type { StageKey } from '../../contracts/identity.ts';
import type { BestMetric, RetentionOptions } from '../../contracts/options.ts';
import { referenceSchema } from '../../contracts/reference.ts';
import { digestsSchema } from '../../contracts/training.ts';
import type { Database, Queryable } from '../database/database.ts';
import { readRows } from '../database/rows.ts';
import { lockCurrentBranchOf } from '../runs/branches.ts';
import { type MarkedObject, markObjects } from './deletion-marks.ts';

/** The options of a stage that decide. */
export type StageRetention = RetentionOptions & { max_steps: number; save_steps: number };

const checkpointSchema = z.object({
  branch: z.int(),
  step: z.int(),
  manifest: referenceSchema,
  digests: digestsSchema,
  bytes: z.number(),
  value: z.number().nullable(),
  usedBy: z.array(z.string()),
});
/** A committed checkpoint with what decides whether it is kept. */
export type StageCheckpoint = z.infer<typeof checkpointSchema>;

/** Columns of evaluations. */
const COLUMN: Record<BestMetric, string> = {
  pass_at_1: 'pass_at_1',
  pass_at_k: 'pass_at_k',
  cons_at_k: 'cons_at_k',
  format_rate: 'format_rate',
  language_consistency: 'language_consistency',
  mean_length: 'mean_length',
};

/**
 * What refers to the checkpoint with the manifest at c.uri: a stage that starts from it, a run or a student that does, a
 * frozen or growing data set that it sampled, an evaluation's row.
 */
const USED_BY = `
  SELECT 'the stage ' || st.run || '/' || st.stage || ' starts from it' AS use FROM stages st
    WHERE st.initial_manifest ->> 'uri' = c.uri
  UNION ALL SELECT 'the run ' || r.run || ' starts from it' FROM runs r
    WHERE r.base #>> '{manifest,uri}' = c.uri OR EXISTS (
      SELECT FROM jsonb_array_elements(r.plan -> 'stages') s
      WHERE s #>> '{origin,checkpoint,manifest,uri}' = c.uri)
  UNION ALL SELECT DISTINCT 'it sampled examples of ' || p.run || '/' || p.stage FROM sample_parts p
    WHERE p.checkpoint ->> 'uri' = c.uri
  UNION ALL SELECT 'an evaluation of ' || e.run || '/' || e.stage || ' names it' FROM evaluations e
    WHERE e.checkpoint ->> 'uri' = c.uri`;

/** The rows of a stage that decide. */
async function readRetention(
  reader: Queryable,
  { run, stage }: StageKey,
  { save_best }: RetentionOptions,
): Promise<RetentionRows<StageCheckpoint>> {
  const value = save_best === undefined ? 'NULL' : `e.${COLUMN[save_best]}`;
  const checkpoints = await readRows(
    reader,
    'checkpoints',
    checkpointSchema,
    `SELECT c.branch, c.step, c.manifest, c.digests, c.bytes, ${value}::double precision AS value,
       ARRAY(${USED_BY}) AS "usedBy"
     FROM (SELECT *, manifest ->> 'uri' AS uri FROM checkpoints) c
     LEFT JOIN evaluations e ON e.run = c.run AND e.stage = c.stage AND e.branch = c.branch AND e.step = c.step
       AND e.quick
     WHERE c.run = $1 AND c.stage = $2 ORDER BY c.branch, c.step`,
    [run, stage],
  );
  const branches = await readRows(
    reader,
    'branches',
    z.object({ branch: z.int(), parent: z.int().nullable(), forkStep: z.int() }),
    'SELECT branch, parent, fork_step AS "forkStep" FROM branches WHERE run = $1 AND stage = $2 ORDER BY branch',
    [run, stage],
  );
  return { checkpoints, branches };
}

/** Which checkpoints of a stage are kept and which are to be deleted, by its rows. */
export async function retentionOf(
  reader: Queryable,
  key: StageKey,
  options: StageRetention,
): Promise<Retention<StageCheckpoint>> {
  return decideRetention(await readRetention(reader, key, options), options);
}

/** A checkpoint to be deleted, and the objects that it consists of. */
export interface DeletedCheckpoint extends Pick<StageCheckpoint, 'branch' | 'step'> {
  objects: Omit<MarkedObject, 'reason'>[];
}

/**
 * Deletes rows of checkpoints, and marks their objects, in one transaction that holds the stage's lock. What a rule or a
 * new row keeps by now stays.
 */
export async function deleteCheckpoints(
  database: Database,
  key: StageKey,
  options: StageRetention,
  checkpoints: readonly DeletedCheckpoint[],
): Promise<void> {
  const { run, stage } = key;
  await database.transaction(async (tx) => {
    await lockCurrentBranchOf(tx, key);
    const { deleted } = await retentionOf(tx, key, options);
    for (const { branch, step, reason } of deleted) {
      const found = checkpoints.find((each) => each.branch === branch && each.step === step);
      if (found === undefined) continue;
      await tx.query(
        `WITH gone AS (
           DELETE FROM checkpoints WHERE run = $1 AND stage = $2 AND branch = $3 AND step = $4
           RETURNING run, stage, branch, step, manifest, digests, bytes, seconds_saving, committed_at)
         INSERT INTO deleted_checkpoints
           (run, stage, branch, step, manifest, digests, bytes, seconds_saving, committed_at, reason)
         SELECT gone.*, $5 FROM gone`,
        [run, stage, branch, step, reason],
      );
    }
    const gone = checkpoints.filter((each) =>
      deleted.some(({ branch, step }) => each.branch === branch && each.step === step),
    );
    const name = ({ branch, step }: DeletedCheckpoint) =>
      `checkpoint ${run}/${stage}@${step}${branch === 0 ? '' : ` of branch ${branch}`} is deleted`;
    const marks = gone.flatMap((each) => each.objects.map((object) => ({ ...object, reason: name(each) })));
    await markObjects(tx, [...new Map(marks.map((mark) => [mark.uri, mark])).values()]);
  });
}

const deletedSchema = z.object({
  stage: z.string(),
  branch: z.int(),
  step: z.int(),
  uri: z.string(),
  bytes: z.number(),
  reason: z.string(),
  deletedAt: z.string(),
});
export type DeletedRow = z.infer<typeof deletedSchema>;

/** Deleted checkpoints of a run, in the order of its stages. */
export async function listDeleted(reader: Queryable, run: string): Promise<DeletedRow[]> {
  return readRows(
    reader,
    'deleted_checkpoints',
    deletedSchema,
    `SELECT d.stage, d.branch, d.step, d.manifest ->> 'uri' AS uri, d.bytes, d.reason, d.deleted_at AS "deletedAt"
     FROM deleted_checkpoints d JOIN stages st USING (run, stage)
     WHERE d.run = $1 ORDER BY st.position, d.branch, d.step`,
    [run],
  );
}

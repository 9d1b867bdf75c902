import { z } from 'zod';
import type { StageKey } from '../../contracts/identity.ts';
import type { Queryable } from '../database/database.ts';
import { insertRow, readRows } from '../database/rows.ts';

const queuedStageSchema = z.object({
  run: z.string(),
  stage: z.string(),
  /** its position in the queue, from 1 */
  place: z.int(),
  since: z.iso.datetime(),
});
/** A stage that waits for a trainer. */
export type QueuedStage = z.infer<typeof queuedStageSchema>;

/** Adds a stage to the queue; a stage that is in it keeps its place. */
export async function joinTrainerQueue(writer: Queryable, { run, stage }: StageKey): Promise<void> {
  await insertRow(writer, 'trainer_queue', { run, stage }, { onConflict: 'nothing' });
}

/** Removes a stage from the queue: it has a trainer, or no longer needs one. */
export async function leaveTrainerQueue(writer: Queryable, { run, stage }: StageKey): Promise<void> {
  await writer.query('DELETE FROM trainer_queue WHERE run = $1 AND stage = $2', [run, stage]);
}

/**
 * The stages of the queue in the order in which they get a trainer: by the time at which the run was launched, because a
 * run should not lose its turn between two of its stages, then by how long the stage has waited.
 */
export async function listTrainerQueue(reader: Queryable): Promise<QueuedStage[]> {
  return readRows(
    reader,
    'trainer_queue',
    queuedStageSchema,
    `SELECT q.run, q.stage, q.since,
       row_number() OVER (ORDER BY r.started_at, r.run, q.since, s.position)::integer AS place
     FROM trainer_queue q
     JOIN runs r ON r.run = q.run AND r.status NOT IN ('complete', 'aborted')
     JOIN stages s ON s.run = q.run AND s.stage = q.stage AND s.status NOT IN ('complete', 'aborted')
     ORDER BY place`,
  );
}

/**
 * Records the place that is sent to a stage's workflow. Returns false where none need be sent: the same place was sent
 * before, or the stage is first and was never sent another.
 */
export async function notePlaceShown(
  writer: Queryable,
  { run, stage }: StageKey,
  place: number,
): Promise<boolean> {
  const noted = await writer.query(
    `UPDATE trainer_queue SET shown_place = $3
     WHERE run = $1 AND stage = $2 AND shown_place IS DISTINCT FROM $3 AND (shown_place IS NOT NULL OR $3 > 1)
     RETURNING run`,
    [run, stage, place],
  );
  return noted.length > 0;
}

import type { StageKey } from '../../contracts/identity.ts';
import type { Queryable } from '../database/database.ts';

/** A stage that waits for a trainer. */
export interface QueuedStage extends StageKey {
  /** counts from 1 */
  place: number;
  /** ISO 8601 */
  since: string;
}

/** Has a stage wait in its turn; one that waits already keeps its place. */
export async function joinTrainerQueue(writer: Queryable, { run, stage }: StageKey): Promise<void> {
  await writer.query('INSERT INTO trainer_queue (run, stage) VALUES ($1, $2) ON CONFLICT DO NOTHING', [
    run,
    stage,
  ]);
}

/** It has a trainer, or wants none any more. */
export async function leaveTrainerQueue(writer: Queryable, { run, stage }: StageKey): Promise<void> {
  await writer.query('DELETE FROM trainer_queue WHERE run = $1 AND stage = $2', [run, stage]);
}

/**
 * All that wait, in the order in which they are served: by when the run was launched, so that a run that has begun is
 * not overtaken between its stages; then by how long the stage has waited.
 */
export async function listTrainerQueue(reader: Queryable): Promise<QueuedStage[]> {
  return reader.query<QueuedStage>(
    `SELECT q.run, q.stage, q.since,
       row_number() OVER (ORDER BY r.started_at, r.run, q.since, s.position)::integer AS place
     FROM trainer_queue q
     JOIN runs r ON r.run = q.run AND r.status NOT IN ('complete', 'aborted')
     JOIN stages s ON s.run = q.run AND s.stage = q.stage AND s.status NOT IN ('complete', 'aborted')
     ORDER BY place`,
  );
}

/**
 * Notes the place that a stage's workflow is to be sent; false where it was sent that one before, and where it comes
 * first at once.
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

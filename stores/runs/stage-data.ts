import type { RewardModelMeasure } from '../../contracts/activities.ts';
import { Failure } from '../../contracts/failures.ts';
import type { StageKey } from '../../contracts/identity.ts';
import type { Queryable } from '../database/database.ts';
import { json } from '../database/json.ts';

/** Digest of the examples that a supervised stage trains on; null until they are made. */
export async function findStageDataset(reader: Queryable, { run, stage }: StageKey): Promise<string | null> {
  const [row] = await reader.query<{ digest: string | null }>(
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

/** Says which data set a stage trains on; what was said first stays. */
export async function settleStageDataset(writer: Queryable, key: StageKey, digest: string): Promise<void> {
  await writer.query('UPDATE stages SET data_set = $3 WHERE run = $1 AND stage = $2 AND data_set IS NULL', [
    key.run,
    key.stage,
    digest,
  ]);
}

/** Keeps how well a reward model ranks held-out preferences; measured again, the last figure stands. */
export async function settleMeasure(
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

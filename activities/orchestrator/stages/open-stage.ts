import type { StagePosition } from '../../../contracts/activities.ts';
import { Failure } from '../../../contracts/failures.ts';
import type { StageKey } from '../../../contracts/identity.ts';
import { readPosition } from '../../../stores/runs/stage-position.ts';
import type { Stores } from '../../dependencies.ts';
import { changeStageStatus } from './change-stage-status.ts';
import { settleOrigin } from './resolve-origin.ts';

/**
 * Reads a stage's position and sets its status to running. Rows ahead of the history are adopted; a history ahead of the
 * rows is refused with both values (rule 6).
 */
export async function openStage(
  stores: Stores,
  { key, historyStep }: { key: StageKey; historyStep: number | null },
): Promise<StagePosition> {
  const { database } = stores;
  await settleOrigin(stores, key);
  const position = await readPosition(database, key);
  if (historyStep !== null && historyStep > position.step) {
    throw new Failure(
      'HistoryAhead',
      `${key.run}/${key.stage}: the workflow's history knows step ${historyStep}, Postgres ends at step ${position.step}: ` +
        'were the rows restored from an older backup? Restore the newer rows, or resume from a checkpoint that both know',
    );
  }
  if (position.status !== 'complete') await changeStageStatus({ database }, { key, status: 'running' });
  return position;
}

import type { StageKey } from '../../../contracts/identity.ts';
import type { StageStatus } from '../../../contracts/stage-state.ts';
import { setRunStatus } from '../../../stores/runs/runs.ts';
import { setStageStatus, statusByStages } from '../../../stores/runs/stages.ts';
import type { Stores } from '../../dependencies.ts';

interface Change {
  key: StageKey;
  status: StageStatus;
  reason?: string;
}

/**
 * Sets a stage's status, and the run's status with it: the run waits for an operator where any of its stages does. The
 * run's own workflow sets `complete` and `aborted`.
 */
export async function changeStageStatus(
  { database }: Pick<Stores, 'database'>,
  change: Change,
): Promise<void> {
  const { key, status, reason } = change;
  await setStageStatus(database, key, status, reason);
  const { status: ofRun, reason: why } = await statusByStages(database, key.run);
  if (ofRun !== null) await setRunStatus(database, key.run, ofRun, why);
}

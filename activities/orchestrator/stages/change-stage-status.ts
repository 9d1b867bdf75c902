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
 * A run does what its stages do: where one waits for an operator, so does the run, whatever runs beside it. That it is
 * complete or aborted is for the run's own workflow to say.
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

import type { StageKey } from '../contracts/identity.ts';
import type { StageStatus } from '../contracts/stage-state.ts';
import { setRunStatus } from '../stores/runs.ts';
import { setStageStatus } from '../stores/stages.ts';
import type { Stores } from './dependencies.ts';

interface Change {
  key: StageKey;
  status: StageStatus;
  reason?: string;
}

/** A run does what its stage does; that it is complete or aborted is for the run's own workflow to say. */
export async function changeStageStatus(
  { database }: Pick<Stores, 'database'>,
  change: Change,
): Promise<void> {
  const { key, status, reason } = change;
  await setStageStatus(database, key, status, reason);
  if (status === 'running' || status === 'paused' || status === 'parked') {
    await setRunStatus(database, key.run, status, reason);
  }
}

import type { RecordStepInput, RecordStepResult } from '../contracts/activities.ts';
import { recordStep as insertStep } from '../stores/steps.ts';
import type { WatchedStores } from './dependencies.ts';

/** Commits what a step did. The rest of its wall time, between its parts, is told apart. */
export async function recordStep(
  { database, failpoints }: Pick<WatchedStores, 'database' | 'failpoints'>,
  { key, term, batch, result, spent, startedAt, seam }: RecordStepInput,
): Promise<RecordStepResult> {
  const parts = spent.sampling + spent.scoring + spent.logprobs + result.seconds;
  // Scoring runs beside the log-probabilities, so the parts may add up to more than the wall time.
  const secondsOther = Math.max(0, (Date.now() - startedAt) / 1000 - parts);
  await insertStep(database, { key, term, batch, result, spent, secondsOther, seam });
  failpoints.reached('step-row', key.step);
  return { secondsOther };
}

import { watchedAfter } from '../../../algorithm/run/alarms.ts';
import type { RecordStepInput, RecordStepResult } from '../../../contracts/activities.ts';
import { alarmsAt } from '../../../stores/runs/alarms.ts';
import { recordStep as insertStep } from '../../../stores/steps/steps.ts';
import type { WatchedStores } from '../../dependencies.ts';
import { planOf, stagePlanOf } from '../../plan-of.ts';

/** Commits a step's result, and returns the alarms that it raises. Wall time outside its measured parts is recorded separately. */
export async function recordStep(
  { database, failpoints }: Pick<WatchedStores, 'database' | 'failpoints'>,
  { key, term, batch, result, spent, startedAt, seam }: RecordStepInput,
): Promise<RecordStepResult> {
  const parts = spent.sampling + spent.scoring + spent.logprobs + result.seconds;
  // Scoring runs in parallel with the log-probabilities: the sum of the parts may exceed the wall time.
  const secondsOther = Math.max(0, (Date.now() - startedAt) / 1000 - parts);
  const { alarms = [] } = stagePlanOf(await planOf(database, key.run), key.stage);
  await insertStep(database, { key, term, batch, result, spent, secondsOther, seam, alarms });
  failpoints.reached('step-row', key.step);
  const raised = await alarmsAt(database, key);
  return { secondsOther, alarms: raised.filter(({ name }) => watchedAfter(name) === 'steps') };
}

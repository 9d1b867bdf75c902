import { isCancellation, log } from '@temporalio/workflow';
import { alarmText } from '../algorithm/run/alarms.ts';
import { waysOn, waysText } from '../algorithm/run/next-commands.ts';
import type { StageStatus } from '../contracts/stage-state.ts';
import type { StageOutcome } from '../contracts/workflows.ts';
import { unhurried } from './activities.ts';
import { describeFailure } from './errors.ts';
import { commitCheckpoint, type StageWalk, type StandingWalk } from './stage-walk.ts';
import { releaseTrainer } from './trainer.ts';

/** How a stage's walk ended: for good, or to be taken up again. */
export type Rested = StageOutcome | 'again';

/** Commits where the stage stands, gives the trainer back and waits for an operator. */
export async function pause(walk: StandingWalk, author: string | null): Promise<Rested> {
  await saveHere(walk);
  return await rest(walk, 'paused', `at step ${walk.step}${author === null ? '' : `, by ${author}`}`);
}

/** Rests where an alarm just raised says so; null where none does. An operator who takes the stage up has seen them. */
export async function heedAlarms(walk: StandingWalk): Promise<Rested | null> {
  const raised = walk.desk.takeRaised();
  const parking = raised.filter(({ action }) => action === 'park');
  const heeded = parking.length > 0 ? parking : raised.filter(({ action }) => action === 'pause');
  if (heeded.length === 0) return null;
  await saveHere(walk);
  const reason = `at step ${walk.step}, ${heeded.map(alarmText).join('; ')}`;
  return await rest(walk, parking.length > 0 ? 'parked' : 'paused', reason);
}

/** Gives the trainer back and waits for an operator: what a retry cannot mend does not fail the run (rule 13). */
export function park(walk: StageWalk, reason: string): Promise<Rested> {
  return rest(walk, 'parked', reason);
}

/** Ends a stage under way as an operator asked: with a checkpoint of the step reached. */
export async function endInOrder(walk: StandingWalk): Promise<StageOutcome> {
  await saveHere(walk);
  return await end(walk, 'aborted');
}

async function saveHere(walk: StandingWalk): Promise<void> {
  if (walk.step > 0 && walk.checkpointStep !== walk.step) await commitCheckpoint(walk);
}

async function rest(walk: StageWalk, status: 'paused' | 'parked', reason: string): Promise<Rested> {
  walk.desk.rest(status, reason);
  walk.desk.details(waysText(waysOn(status, walk.key.run)));
  // A trainer that cannot be given back is superseded or found idle.
  await unlessRefused(giveTrainerBack(walk));
  await unlessRefused(setStatus(walk, status, reason));
  const decision = await walk.desk.awaitDecision();
  walk.lost = 0;
  if (decision.kind === 'end') return await end(walk, 'aborted');
  if (decision.rewound !== null) walk.historyStep = decision.rewound.step;
  return 'again';
}

/** What a resting stage does for good order must not end it (rule 13): it waits for its operator all the same. */
async function unlessRefused(work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (isCancellation(error)) throw error;
    log.error(describeFailure(error));
  }
}

/** Ends the stage, and with it the lease. */
export async function end(walk: StageWalk, status: StageOutcome['status']): Promise<StageOutcome> {
  walk.desk.phase(status);
  await giveTrainerBack(walk);
  await setStatus(walk, status);
  return { stage: walk.key.stage, step: walk.historyStep ?? 0, status };
}

async function giveTrainerBack(walk: StageWalk): Promise<void> {
  const held = walk.trainer;
  walk.trainer = null;
  if (held !== null) await releaseTrainer(held, walk.desk.lostQueues);
}

async function setStatus(walk: StageWalk, status: StageStatus, reason?: string): Promise<void> {
  walk.desk.attributes({ status });
  await unhurried.setStageStatus.executeWithOptions({ summary: `stage ${status}` }, [
    { key: walk.key, status, reason },
  ]);
}

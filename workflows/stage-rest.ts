import type { StageStatus } from '../contracts/stage-state.ts';
import type { StageOutcome } from '../contracts/workflows.ts';
import { orchestrator } from './activities.ts';
import type { Decision } from './stage-desk.ts';
import { commitCheckpoint, type StageWalk, type StandingWalk } from './stage-walk.ts';
import { releaseTrainer } from './trainer.ts';

/** How a stage's walk ended: for good, or to be taken up again. */
export type Rested = StageOutcome | 'again';

/** Commits where the stage stands, gives the trainer back and waits for an operator. */
export async function pause(walk: StandingWalk): Promise<Rested> {
  if (walk.step > 0 && walk.checkpointStep !== walk.step) await commitCheckpoint(walk);
  return await rest(walk, 'paused', `at step ${walk.step}`, '`r1 resume` goes on');
}

/** Gives the trainer back and waits for an operator: what a retry cannot mend does not fail the run (rule 13). */
export function park(walk: StageWalk, reason: string): Promise<Rested> {
  return rest(
    walk,
    'parked',
    reason,
    '`r1 resume` takes it up again, `r1 resume --from STEP` goes on after an earlier step, `r1 abort` ends it',
  );
}

async function rest(
  walk: StageWalk,
  status: 'paused' | 'parked',
  reason: string,
  ways: string,
): Promise<Rested> {
  await giveTrainerBack(walk);
  await setStatus(walk, status, reason);
  walk.desk.details(`### ${status}\n\n${reason}\n\n${ways}.`);
  const decision = await walk.desk.awaitDecision(status, reason);
  return await carryOut(walk, decision);
}

async function carryOut(walk: StageWalk, decision: Decision): Promise<Rested> {
  if (decision.kind === 'abort') return await end(walk, 'aborted');
  if (decision.fromStep === null) return 'again';
  const summary = `go on from step ${decision.fromStep} on a new branch`;
  await orchestrator.rewindStage.executeWithOptions({ summary }, [
    { key: walk.key, step: decision.fromStep },
  ]);
  walk.historyStep = decision.fromStep;
  return 'again';
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
  await orchestrator.setStageStatus.executeWithOptions({ summary: `stage ${status}` }, [
    { key: walk.key, status, reason },
  ]);
}

import { type Milestones, milestonesAt } from '../algorithm/run/milestones.ts';
import { equalNumerics, sameNumerics } from '../algorithm/run/numerics-changes.ts';
import type { LoggedBatch, StagePosition } from '../contracts/activities.ts';
import type { RaisedAlarm } from '../contracts/alarms.ts';
import { Failure } from '../contracts/failures.ts';
import type { BranchKey, StageKey } from '../contracts/identity.ts';
import type { Numerics } from '../contracts/numerics.ts';
import type { StagePlan } from '../contracts/plan.ts';
import type { Cursor } from '../contracts/records.ts';
import type { CurrentRollout } from '../contracts/stage-state.ts';
import type { TrainStepResult } from '../contracts/training.ts';
import type { HeldTrainer, StageShown, StepStory } from '../contracts/workflows.ts';
import { orchestrator } from './activities.ts';
import { evaluate } from './evaluation.ts';
import { type StageDesk, WAITING } from './stage-desk.ts';
import { stageDetails } from './stage-details.ts';
import { acquireTrainer, callTrainer } from './trainer.ts';

/** A stage under way: what it holds, and how far it has come. */
export interface StageWalk<Plan extends StagePlan = StagePlan> {
  readonly key: StageKey;
  readonly plan: Plan;
  readonly desk: StageDesk;
  /** the last step this history knows to be committed; null before it has asked (rule 6) */
  historyStep: number | null;
  trainer: HeldTrainer | null;
  /** trainers lost since the last step was recorded */
  lost: number;
  shown: StageShown;
}

/** A walk that has found its place: the rows are read, and a trainer holds the policy of the last step. */
export interface StandingWalk<Plan extends StagePlan = StagePlan> extends StageWalk<Plan> {
  readonly branch: BranchKey;
  trainer: HeldTrainer;
  step: number;
  cursor: Cursor;
  hand: CurrentRollout | null;
  /** numerics of the last recorded step */
  numerics: Numerics | null;
  /** whether the step reached is recorded, and was trained again under numerics that may give other bits */
  acrossSeam: boolean;
  checkpointStep: number;
  evaluated: Set<string>;
}

/** What a kind of stage wants to be so before it begins. */
interface Beginning<Plan extends StagePlan> {
  readonly prepare: ((walk: StageWalk<Plan>, branch: BranchKey) => Promise<void>) | null;
  readonly withReference: (plan: Plan) => boolean;
}

/** Rows of the details' table. */
const STORIES_SHOWN = 10;

/** Reads where the stage stands by the rows, has a trainer hold that policy, and replays the log after it. */
export async function findPlace<Plan extends StagePlan>(
  walk: StageWalk<Plan>,
  kind: Beginning<Plan>,
): Promise<StandingWalk<Plan> | 'complete'> {
  walk.desk.phase('reading where the stage stands');
  const position = await orchestrator.openStage({ key: walk.key, historyStep: walk.historyStep });
  if (position.status === 'complete') return 'complete';
  walk.desk.reached(position.step);
  walk.desk.knows(position);
  const branch = { ...walk.key, branch: position.branch };
  await kind.prepare?.(walk, branch);
  walk.desk.phase(WAITING);
  const withReference = kind.withReference(walk.plan);
  walk.trainer = heldAt(walk.trainer, position)
    ? walk.trainer
    : await acquireTrainer(branch, position.checkpoint, withReference);
  const standing: StandingWalk<Plan> = Object.assign(walk, {
    branch,
    trainer: walk.trainer,
    step: walk.trainer.step,
    cursor: position.cursor,
    hand: position.rollout,
    numerics: position.numerics,
    acrossSeam: false,
    checkpointStep: position.checkpoint.step,
    evaluated: new Set(position.evaluated),
  });
  await replayLog(standing, position);
  return standing;
}

/** Whether a trainer that is still held stands where the rows end, so that nothing need be loaded. */
function heldAt(trainer: HeldTrainer | null, position: StagePosition): trainer is HeldTrainer {
  const end = position.logged.at(-1)?.step ?? position.checkpoint.step;
  return (
    trainer !== null &&
    trainer.lease.branch === position.branch &&
    trainer.step >= position.step &&
    trainer.step <= end
  );
}

/**
 * Trains again on the logged batches after the checkpoint (rule 1): nothing is sampled. A step whose row
 * exists must end in the digest of that row, unless the numerics differ: then the place is a seam.
 */
async function replayLog(walk: StandingWalk, position: StagePosition): Promise<void> {
  for (const logged of position.logged) {
    const { step, batch, recorded } = logged;
    if (step <= walk.trainer.step) continue;
    walk.desk.phase('replaying the log', `step ${step} of ${position.logged.at(-1)?.step}`);
    const before = recorded?.numerics ?? position.numerics;
    const acrossSeam = before !== null && !sameNumerics(before, walk.trainer.numerics);
    walk.acrossSeam ||= acrossSeam;
    const startedAt = Date.now();
    const result = await callTrainer(
      walk.trainer,
      walk.desk.lostQueues,
      'trainStep',
      `step ${step} · replay`,
      {
        batch,
        expectedStep: step - 1,
        acrossSeam,
      },
    );
    stepTaken(walk, result);
    if (recorded === null) await recordReplayed(walk, logged, result, startedAt);
    else if (!acrossSeam) refuseOtherDigest(step, recorded.digestAfter, result.digestAfter);
  }
}

async function recordReplayed(
  walk: StandingWalk,
  { step, batch, tokensSampled }: LoggedBatch,
  result: TrainStepResult,
  startedAt: number,
): Promise<void> {
  const spent = { tokensSampled, sampling: 0, scoring: 0, logprobs: 0 };
  const key = { ...walk.branch, step };
  const { term } = walk.trainer.lease;
  const { alarms } = await orchestrator.recordStep.executeWithOptions(
    { summary: `step ${step} · record the replayed step` },
    [{ key, term, batch, result, spent, startedAt, seam: changesNumerics(walk, result) }],
  );
  stepRecorded(walk, result, alarms);
}

function refuseOtherDigest(step: number, expected: string | null, found: string | null): void {
  if (expected === null || found === null || expected === found) return;
  throw new Failure(
    'Contradiction',
    `replaying step ${step}: expected digest ${expected}, found ${found}, under equal numerics; ` +
      'the log, the checkpoint or the trainer is not what it says: compare them before going on',
  );
}

/** Whether this step follows one that was computed under other numerics (rule 12). */
export const changesNumerics = (walk: StandingWalk, result: TrainStepResult) =>
  walk.numerics !== null && (walk.acrossSeam || !equalNumerics(walk.numerics, result.numerics));

export function stepTaken(walk: StandingWalk, result: TrainStepResult): void {
  const { step, digestAfter, referenceDigest, numerics } = result;
  walk.trainer = { ...walk.trainer, step, digest: digestAfter, referenceDigest, numerics };
  walk.step = step;
}

/** `alarms`: raised with the step; none where the history was begun before there were any. */
export function stepRecorded(
  walk: StandingWalk,
  result: TrainStepResult,
  alarms: readonly RaisedAlarm[] = [],
): void {
  const { step, numerics } = result;
  if (walk.numerics !== null && changesNumerics(walk, result))
    walk.desk.numericsChanged({ step, before: walk.numerics, after: numerics });
  walk.numerics = numerics;
  walk.acrossSeam = false;
  walk.lost = 0;
  walk.historyStep = step;
  walk.desk.reached(step);
  walk.desk.raised(alarms);
}

/** Shows a step among the last ones, in the UI's details. */
export function tellStep(walk: StandingWalk, story: StepStory): void {
  const { recent, samples } = walk.shown;
  walk.shown = { recent: [...recent, story].slice(-STORIES_SHOWN), samples };
  showDetails(walk);
}

export const showDetails = ({ desk, shown, plan }: StageWalk): void =>
  desk.details(stageDetails(shown, plan.options.max_steps));

/** Does what is due at the step reached, unless the rows say that it is done: checkpoint, then evaluation. */
export async function keepMilestones(walk: StandingWalk): Promise<{ saved: boolean }> {
  const due = milestonesAt(walk.step, walk.plan.options);
  const saved = due.save && walk.checkpointStep !== walk.step;
  if (saved) await commitCheckpoint(walk);
  const as = walk.step === 0 ? originName(walk.plan) : walk.key.stage;
  if (isMeasured(walk.plan, due) && as !== null && !walk.evaluated.has(`${as}@${walk.step}`)) {
    walk.desk.phase('evaluating', walk.step === 0 ? `the ${as}` : `step ${walk.step}`);
    const { key, trainer, step } = walk;
    const quick = due.evaluate === 'quick';
    const { language } = walk.plan.evaluation;
    const { alarms } = await evaluate({
      key,
      trainer,
      lost: walk.desk.lostQueues,
      as,
      step,
      quick,
      checkpoint: null,
      language,
    });
    walk.evaluated.add(`${as}@${step}`);
    walk.desk.raised(alarms);
  }
  return { saved };
}

/** Under what name the model is measured that the stage starts from; null where an earlier stage has done so. */
const originName = ({ origin }: StagePlan) => (origin.kind === 'model' ? origin.name : null);

/** A reward model answers nothing: it is measured by how it ranks, at its stage's end. */
const isMeasured = ({ algorithm }: StagePlan, { evaluate }: Milestones) =>
  evaluate !== null && algorithm !== 'reward-model';

/** Objects, the manifest, and last the row: the commit (rule 4). */
export async function commitCheckpoint(walk: StandingWalk): Promise<void> {
  const { step, trainer, acrossSeam } = walk;
  walk.desk.phase('committing a checkpoint', `step ${step}`);
  const summary = `step ${step} · checkpoint`;
  const checkpoint = await callTrainer(trainer, walk.desk.lostQueues, 'checkpoint', summary, {
    expectedStep: step,
  });
  await orchestrator.commitCheckpoint.executeWithOptions({ summary: `${summary} · commit` }, [
    { key: { ...walk.branch, step }, term: trainer.lease.term, checkpoint, acrossSeam },
  ]);
  walk.checkpointStep = step;
  walk.desk.attributes({ step, reward: walk.shown.recent.at(-1)?.batch.reward ?? undefined });
}

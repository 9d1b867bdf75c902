import { hostname } from 'node:os';
import type { OrchestratorActivities, RewardActivities } from '../contracts/activities.ts';
import type { TrainingActivities } from '../contracts/training.ts';
import { commitChanges } from '../stores/changes.ts';
import { rewind } from '../stores/rewind.ts';
import { setRunStatus } from '../stores/runs.ts';
import { claimTerm } from '../stores/terms.ts';
import { leaveTrainerQueue } from '../stores/trainer-queue.ts';
import { acquire } from './acquire.ts';
import { awaitTurn } from './await-turn.ts';
import { changeStageStatus } from './change-stage-status.ts';
import { checkpoint } from './checkpoint.ts';
import { commitCheckpoint } from './commit-checkpoint.ts';
import type { OrchestratorRoom, RewardRoom } from './dependencies.ts';
import { drawEvaluation } from './draw-evaluation.ts';
import { drawPrompts } from './draw-prompts.ts';
import { drawSamples } from './draw-samples.ts';
import { joinRollouts } from './join-rollouts.ts';
import { joinScores } from './join-scores.ts';
import { logprobs } from './logprobs.ts';
import { makeBatch } from './make-batch.ts';
import { makeSupervisedBatch } from './make-supervised-batch.ts';
import { buildExamples, openExamples } from './open-examples.ts';
import { openStage } from './open-stage.ts';
import { planOf } from './plan-of.ts';
import { recordEvaluation } from './record-evaluation.ts';
import { recordStep } from './record-step.ts';
import { release } from './release.ts';
import { sample } from './sample.ts';
import { measureRewardModel, scoreByModel } from './score-by-model.ts';
import { scoreRollout } from './score-rollout.ts';
import { selectSamples } from './select-samples.ts';
import { trainStep } from './train-step.ts';
import type { TrainerRoom } from './trainer-room.ts';

/** The one factory by which stores come into the orchestrator's activities. */
export function createOrchestratorActivities(stores: OrchestratorRoom): OrchestratorActivities {
  return {
    loadPlan: ({ run }) => planOf(stores.database, run),
    openStage: (input) => openStage(stores, input),
    rewindStage: ({ key, from }) => rewind(stores.database, key, from),
    commitChanges: ({ key, request: { values, atStep = null, author = 'the Temporal UI' } }) =>
      commitChanges(stores.database, key, { values, atStep, author }),
    claimTerm: ({ key }) => claimTerm(stores.database, key, `${hostname()}/${process.pid}`),
    awaitTurn: (input) => awaitTurn(stores, input),
    leaveTrainerQueue: ({ key }) => leaveTrainerQueue(stores.database, key),
    drawPrompts: (input) => drawPrompts(stores, input),
    joinRollouts: (input) => joinRollouts(stores, input),
    makeBatch: (input) => makeBatch(stores, input),
    makeSupervisedBatch: (input) => makeSupervisedBatch(stores, input),
    openExamples: (input) => openExamples(stores, input),
    drawSamples: (input) => drawSamples(stores, input),
    selectSamples: (input) => selectSamples(stores, input),
    buildExamples: (input) => buildExamples(stores, input),
    recordStep: (input) => recordStep(stores, input),
    commitCheckpoint: (input) => commitCheckpoint(stores, input),
    drawEvaluation: (input) => drawEvaluation(stores, input),
    recordEvaluation: (input) => recordEvaluation(stores, input),
    setStageStatus: (input) => changeStageStatus(stores, input),
    setRunStatus: ({ run, status, reason }) => setRunStatus(stores.database, run, status, reason),
  };
}

/** The verifiers, served by what one process has started. */
export function createRewardActivities(room: RewardRoom): RewardActivities {
  return {
    scoreRollout: (input) => scoreRollout(room, input),
    scoreByModel: (input) => scoreByModel(room, input),
    joinScores: (input) => joinScores(room, input),
    measureRewardModel: (input) => measureRewardModel(room, input),
  };
}

/** The training contract, served by one engine. */
export function createTrainingActivities(room: TrainerRoom): TrainingActivities {
  return {
    acquire: (input) => acquire(room, input),
    sample: (input) => sample(room, input),
    logprobs: (input) => logprobs(room, input),
    trainStep: (input) => trainStep(room, input),
    checkpoint: (input) => checkpoint(room, input),
    release: (input) => release(room, input),
  };
}

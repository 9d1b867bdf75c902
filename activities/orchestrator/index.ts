import { hostname } from 'node:os';
import type { OrchestratorActivities } from '../../contracts/activities.ts';
import { Failure } from '../../contracts/failures.ts';
import { commitChanges } from '../../stores/runs/changes.ts';
import { rewind } from '../../stores/runs/rewind.ts';
import { setRunStatus } from '../../stores/runs/runs.ts';
import { claimTerm } from '../../stores/runs/terms.ts';
import { leaveTrainerQueue } from '../../stores/runs/trainer-queue.ts';
import type { OrchestratorContext } from '../dependencies.ts';
import { planOf } from '../plan-of.ts';
import { drawEvaluation } from './evaluation/draw-evaluation.ts';
import { recordEvaluation } from './evaluation/record-evaluation.ts';
import { drawSamples } from './examples/draw-samples.ts';
import { makeSupervisedBatch } from './examples/make-supervised-batch.ts';
import { buildExamples, openExamples } from './examples/open-examples.ts';
import { selectSamples } from './examples/select-samples.ts';
import { drawPrompts } from './rollouts/draw-prompts.ts';
import { makeBatch } from './rollouts/make-batch.ts';
import { awaitTurn } from './stages/await-turn.ts';
import { changeStageStatus } from './stages/change-stage-status.ts';
import { commitCheckpoint } from './stages/commit-checkpoint.ts';
import { openStage } from './stages/open-stage.ts';
import { recordStep } from './stages/record-step.ts';

/** The activities of the orchestrator. */
export function createOrchestratorActivities(stores: OrchestratorContext): OrchestratorActivities {
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
    joinRollouts: startAgain,
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

/** Rollouts are indexed now, not joined: a stage that an earlier release left at this point samples its rollout again. */
async function startAgain(): Promise<never> {
  throw new Failure('TrainerLost', 'this rollout was sampled by an earlier release: it is sampled again');
}

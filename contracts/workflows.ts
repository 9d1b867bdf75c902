import type { MakeBatchResult, ScoreRolloutResult } from './activities.ts';
import type { Lease, StageKey } from './identity.ts';
import type { Numerics } from './numerics.ts';
import type { Wish } from './operator.ts';
import type { TrainStepResult } from './training.ts';

/** Task queues: who serves what (see "The processes"). A trainer that holds a policy serves one of its own as well. */
export const queues = { orchestrator: 'r1', trainer: 'train', rewards: 'rewards' } as const;

/** Workflow ids are paths, so that the UI lists a run's parts together. */
export const runWorkflowId = (run: string) => `r1/${run}`;
export const stageWorkflowId = (key: StageKey) => `r1/${key.run}/${key.stage}`;

/** Types under which workflows are registered. */
export const workflowTypes = {
  run: 'trainingRun',
  reinforcement: 'reinforcementStage',
  supervised: 'supervisedStage',
  rewardModel: 'rewardModelStage',
} as const;

export interface RunInput {
  run: string;
}

export interface StageInput {
  key: StageKey;
  /** carried over continue-as-new: what this history believes to be committed (rule 6); null at the stage's start */
  historyStep: number | null;
  /** carried over continue-as-new: the trainer that holds the policy */
  trainer: HeldTrainer | null;
  /** carried over continue-as-new: what the UI's details show; left out at the stage's start */
  shown?: StageShown;
}

/** The last steps and samples, for people. */
export interface StageShown {
  recent: StepStory[];
  samples: ScoreRolloutResult['samples'];
}

/** What the UI's details page shows of a step. */
export interface StepStory {
  step: number;
  batch: MakeBatchResult;
  result: TrainStepResult;
  /** whether it went on under other numerics than the step before it */
  seam: boolean;
}

/** A trainer under lease, and where its policy stands. */
export interface HeldTrainer {
  lease: Lease;
  /** the task queue that it serves for this lease */
  queue: string;
  /** steps its policy has been trained */
  step: number;
  /** digest of its weights; null where the last step did not compute it */
  digest: string | null;
  referenceDigest: string | null;
  numerics: Numerics;
}

/** What a stage is doing now, for `r1 watch`, `r1 why` and the UI. */
export interface StageProgress {
  key: StageKey;
  step: number;
  steps: number;
  /** `acquiring a trainer`, `sampling`, `scoring`, `training`, `committing a checkpoint`, `evaluating`, `parked`, … */
  phase: string;
  detail: string;
  /** when it began to, ISO 8601 */
  since: string;
  /** what an operator wants at the next step's boundary; null: nothing */
  wish: Wish | null;
}

/** Where a stage stands among those that wait for a trainer. */
export interface QueuePosition {
  /** counts from 1 */
  place: number;
  waiting: number;
  /** RUN/STAGE of those before it, the first first */
  behind: string[];
}

export interface StageOutcome {
  stage: string;
  step: number;
  status: 'complete' | 'aborted';
}

/** What a watched stage's workflow tells its worker; see `workflows/failpoints.ts`. */
export type FailpointSinks = { failpoints: { reached(place: 'continuing' | 'continued'): void } };

/** Message names. */
export const messages = {
  progress: 'progress',
  pause: 'pauseStageUpdate',
  resume: 'resumeStageUpdate',
  retry: 'retryStageUpdate',
  cancel: 'cancelStageUpdate',
  abort: 'abortStageUpdate',
  set: 'setStageUpdate',
  changed: 'changesCommittedSignal',
  trainerLost: 'trainerLostSignal',
  place: 'placeInQueueSignal',
} as const;

/** Search attributes of every workflow of a run. */
export const searchAttributes = {
  run: 'R1Run',
  stage: 'R1Stage',
  step: 'R1Step',
  reward: 'R1Reward',
  status: 'R1Status',
} as const;

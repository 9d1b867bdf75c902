import type { KnownAnswer, MakeBatchResult, ScoreRolloutResult } from './activities.ts';
import type { Lease, StageKey } from './identity.ts';
import type { Numerics } from './numerics.ts';
import type { Wish } from './operator.ts';
import type { TrainStepResult } from './training.ts';

/** Task queue of each process. A trainer with a policy also serves a queue for its lease. */
export const queues = { orchestrator: 'r1', trainer: 'train', rewards: 'rewards', score: 'score' } as const;

/** Workflow ids are paths: the UI lists a run's workflows together. */
export const runWorkflowId = (run: string) => `r1/${run}`;
export const stageWorkflowId = (key: StageKey) => `r1/${key.run}/${key.stage}`;

/** Registered workflow types. */
export const workflowTypes = {
  run: 'trainingRun',
  reinforcement: 'reinforcementStage',
  supervised: 'supervisedStage',
  rewardModel: 'rewardModelStage',
  sampling: 'sampleModel',
} as const;

export interface RunInput {
  run: string;
}

export interface StageInput {
  key: StageKey;
  /** kept across continue-as-new: the last committed step by this history (rule 6); null at the stage's start */
  historyStep: number | null;
  /** kept across continue-as-new: the trainer that holds the policy */
  trainer: HeldTrainer | null;
  /** kept across continue-as-new: what the UI's details page shows; absent at the stage's start */
  shown?: StageShown;
}

/** The last steps and samples, for display. */
export interface StageShown {
  recent: StepStory[];
  samples: ScoreRolloutResult['samples'];
}

/** A step as the UI's details page shows it. */
export interface StepStory {
  step: number;
  batch: MakeBatchResult;
  result: KnownAnswer<TrainStepResult>;
  /** whether it ran under other numerics than the step before it */
  seam: boolean;
}

/** A leased trainer, and the state of its policy. */
export interface HeldTrainer {
  lease: Lease;
  /** the task queue that it serves for this lease */
  queue: string;
  /** number of steps that its policy has been trained */
  step: number;
  /** the policy that it holds; absent or null where a trainer of the first release was acquired */
  policy?: string | null;
  /** digest of its weights; null where the last step did not compute it */
  digest: string | null;
  referenceDigest: string | null;
  /** of training and log-probabilities */
  numerics: Numerics;
  /** absent where a trainer of the first release was acquired */
  samplerNumerics?: Numerics;
}

/** The current work of a stage, for `r1 watch`, `r1 why` and the UI. */
export interface StageProgress {
  key: StageKey;
  step: number;
  steps: number;
  /**
   * `acquiring a trainer`, `sampling`, `scoring`, `training`, `staging a checkpoint`, `evaluating`, `parked`, …
   */
  phase: string;
  detail: string;
  /** start of this phase, ISO 8601 */
  since: string;
  /** an operator's request for the end of the current step; null: none */
  wish: Wish | null;
}

/** Position of a stage in the queue for a trainer. */
export interface QueuePosition {
  /** position in the queue, from 1 */
  place: number;
  waiting: number;
  /** RUN/STAGE of the stages before it, in order */
  behind: string[];
}

export interface StageOutcome {
  stage: string;
  step: number;
  status: 'complete' | 'aborted';
}

/** Calls of a stage's workflow to its worker in tests; see `workflows/failpoints.ts`. */
export type FailpointSinks = { failpoints: { reached(place: 'continuing' | 'continued'): void } };

/** Names of queries, updates and signals. */
export const messages = {
  progress: 'progress',
  lease: 'lease',
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

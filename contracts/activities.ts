import type { RaisedAlarm } from './alarms.ts';
import type { SampleCounts, SelectSamplesInput } from './datasets.ts';
import type { BranchKey, Lease, StageKey, StepKey } from './identity.ts';
import type { Numerics } from './numerics.ts';
import type { RewindTarget, Rewound, SetRequest } from './operator.ts';
import type { Change } from './options.ts';
import type { StagePlan } from './plan.ts';
import type { Cursor, Shard } from './records/schemas.ts';
import type { Reference } from './reference.ts';
import type { RewardRecipe } from './rewards.ts';
import type {
  CommittedCheckpoint,
  CurrentRollout,
  RunStatus,
  SamplingCost,
  StageStatus,
  UnindexedRollout,
  WholeRollout,
} from './stage-state.ts';
import type { CheckpointResult, TrainStepResult } from './training.ts';

/** The answer to a training call, as a workflow keeps it; histories of the first release do not know the policy. */
export type KnownAnswer<Result> = Result extends { policy: string }
  ? Omit<Result, 'policy'> & { policy: string | null }
  : Result;

/** A change of numerics within a stage (rule 12); `step` is the first step under the new ones. */
export interface NumericsChange {
  step: number;
  before: Numerics;
  after: Numerics;
}

/** The version of each reward's verifier. */
export type VerifierVersions = Readonly<Record<string, number>>;

/** A change of verifier versions within a stage; `step` is the first step under the new ones. */
export interface VerifierChange {
  step: number;
  /** versions of the rewards that changed */
  before: VerifierVersions;
  after: VerifierVersions;
}

/** A logged batch, and the row of its step if there is one. */
export interface LoggedBatch {
  step: number;
  batch: Reference;
  /** tokens of the rollout that begins with this step; 0 for the later steps of a rollout */
  tokensSampled: number;
  /** the policy after its step; absent in results of an earlier release */
  policy?: string;
  /** null: no row was committed, though the step may have been trained */
  recorded: { digestAfter: string | null; fingerprintAfter?: string | null; numerics: Numerics } | null;
}

/** The state of a stage by its committed rows (rule 6): the result of `open-stage`. */
export interface StagePosition {
  branch: number;
  status: StageStatus;
  /** last step whose row is committed */
  step: number;
  /** last committed checkpoint, or the stage's initial one */
  checkpoint: CommittedCheckpoint;
  /** the policy that the checkpoint holds; absent in results of an earlier release */
  policy?: string;
  /** batches logged after that checkpoint, in order; the last may have no step row yet */
  logged: LoggedBatch[];
  /** numerics of the last step that has a row; null before the first */
  numerics: Numerics | null;
  cursor: Cursor;
  /** the rollout of the last logged batch, if further steps train on it */
  rollout: CurrentRollout | null;
  changes: Change[];
  seams: NumericsChange[];
  /** absent in results of an earlier release */
  verifierChanges?: VerifierChange[];
  alarms: RaisedAlarm[];
  /** evaluations already committed: `stage@step` */
  evaluated: string[];
}

export interface DrawPromptsInput {
  key: BranchKey;
  /** the first step that will train on it */
  firstStep: number;
  cursor: Cursor;
  /** round of dynamic sampling, from 0, and the number of prompts still needed */
  round: number;
  prompts: number;
  /** slots that earlier rounds have used; seeds depend on the slot */
  firstSlot: number;
}
export interface DrawPromptsResult {
  request: Reference;
  /** the position in the prompt order after these prompts */
  cursor: Cursor;
  /** the temperature in force, for sampling and scoring the whole rollout */
  temperature: number;
}

export interface ScoreRolloutInput {
  key: StageKey;
  rollout: Reference;
  /** only rewards by rule */
  rewards: RewardRecipe[];
}
/** A request of workflows of an earlier release for the verdicts of one of the run's reward models. */
export interface ScoreByModelInput {
  key: StageKey;
  rollout: Reference;
  reward: RewardRecipe;
}
/** What a reward model is to score: the input of the training call `score`. */
export interface ModelScoring {
  model: Reference;
  sequences: Reference;
}
/** The same with its result, a record `model-scores`. */
export interface ScoredByModel extends ModelScoring {
  scores: Reference;
}
export interface PrepareScoringInput {
  key: StageKey;
  /** of the shard, by rule */
  scores: Reference;
  reward: RewardRecipe;
}
export interface AddModelVerdictsInput {
  /** of the shard, by rule */
  scores: Reference;
  /** `scored` is null where the reward concerns no prompt of the shard */
  byModel: { reward: RewardRecipe; scored: ScoredByModel | null }[];
}
export interface ScoreRolloutResult {
  scores: Reference;
  /** mean of each reward over the completions without an error */
  means: Record<string, number>;
  /** prompts with both right and wrong completions, by index in the request */
  informative: number[];
  meanLength: number;
  /** a few completions for display, cut to a few hundred characters */
  samples: { problem: string; text: string; score: string }[];
  seconds: number;
}

export interface MakeBatchInput {
  key: StepKey;
  term: number;
  hand: CurrentRollout | UnindexedRollout;
  /** the policy before this step; absent or null in histories of the first release: the rows give it */
  policyBefore?: string | null;
  /** digest of its weights; null where the step before did not compute it */
  digestBefore: string | null;
  referenceDigest: string | null;
  /** whether this step trains the same weights that sampled */
  onPolicy: boolean;
}
export interface MakeBatchResult {
  batch: Reference;
  completions: number;
  tokens: number;
  dropped: number;
  /** null for a supervised step */
  reward: number | null;
  accuracy: number | null;
  meanLength: number;
  learningRate: number;
  /** of its rollout; absent for a supervised step and a rollout of version 1 */
  index?: Reference;
  /** set where this batch is the first that other verifier versions judged */
  verifierChange?: VerifierChange;
}

export interface MakeSupervisedBatchInput {
  key: StepKey;
  term: number;
  /** the policy before this step; absent or null in histories of the first release: the rows give it */
  policyBefore?: string | null;
  /** digest of its weights; null where the step before did not compute it */
  digestBefore: string | null;
}

/** One request for samples of a supervised stage's data. */
export interface SamplePart {
  /** numbered over all sources of the stage */
  part: number;
  /** index of the source among the plan's sampled sources */
  source: number;
}
export interface ExamplesPosition {
  /** digest of the data set; null where it is not built yet */
  made: string | null;
  /** the checkpoint that samples, for each sampled source */
  policies: CommittedCheckpoint[];
  /** parts without a committed selection, in order */
  missing: SamplePart[];
  parts: number;
}

export interface DrawSamplesInput extends SamplePart {
  key: BranchKey;
}
export interface DrawSamplesResult {
  request: Reference;
}

/** How well a reward model ranks held-out preferences. */
export interface RewardModelMeasure {
  accuracy: number;
  pairs: number;
}

export interface RecordStepInput {
  key: StepKey;
  term: number;
  batch: Reference;
  result: KnownAnswer<TrainStepResult>;
  /** cost of the rollout that begins with this step; zeros for the later steps of a rollout */
  spent: SamplingCost & { logprobs: number };
  /** start of this step in the workflow, in milliseconds since the epoch */
  startedAt: number;
  seam: boolean;
}
export interface RecordStepResult {
  secondsOther: number;
  /** raised with this step */
  alarms: RaisedAlarm[];
}

export interface CommitCheckpointInput {
  key: StepKey;
  term: number;
  checkpoint: KnownAnswer<CheckpointResult>;
  /** whether the step was recorded under other numerics than trained these weights; then the digests may differ */
  acrossSeam: boolean;
}

export interface DrawEvaluationInput {
  key: StageKey;
  /** name of the evaluation: `base` before any training */
  as: string;
  step: number;
  quick: boolean;
  /** which shard of it, from 0; absent: all problems in one */
  shard?: number;
}
export interface DrawEvaluationResult {
  request: Reference;
  /** number of shards of this evaluation; absent in results of an earlier release: one */
  shards?: number;
}
export interface RecordEvaluationInput extends DrawEvaluationInput {
  /** all shards in order; absent in workflows of an earlier release */
  shards?: Pick<Shard, 'request' | 'rollout' | 'scores'>[];
  /** of the only shard, in workflows of an earlier release */
  rollout?: Reference;
  scores?: Reference;
  checkpoint: Reference | null;
  /** Optional: workflows started by an earlier release do not send it. */
  spent?: SamplingCost;
}
export interface RecordEvaluationResult extends EvaluationSummary {
  /** raised with this evaluation */
  alarms: RaisedAlarm[];
}
/** Shares of solved problems, with 95 % intervals. */
export interface SolvedFigures {
  problems: number;
  passAt1: number;
  passAt1Interval: [number, number];
  /** share of problems that at least one sample solves */
  passAtK: number;
  passAtKInterval: [number, number];
  /** share of problems whose majority answer is right */
  consAtK: number;
  consAtKInterval: [number, number];
}
export interface EvaluationSummary extends SolvedFigures {
  k: number;
  formatRate: number;
  meanLength: number;
  reflectionRate: number;
  byDomain: Record<string, SolvedFigures>;
  /** pass@1 on the general domains; null where none is measured */
  generalAbility: number | null;
  /** mean of the language reward over reasoning responses; null where no language is named */
  languageConsistency: number | null;
}

/** Activities of the orchestrator, on the queue `r1`. */
export interface OrchestratorActivities {
  /** Reads the stages' plans from the run's row. */
  loadPlan(input: { run: string }): Promise<{ stages: StagePlan[] }>;
  /**
   * Reads the state of a stage and marks it running. `historyStep`: the last step by the workflow's history (rule
   * 6).
   */
  openStage(input: { key: StageKey; historyStep: number | null }): Promise<StagePosition>;
  /** Starts a new branch of the stage after a committed step; the steps of the old branch stay readable. */
  rewindStage(input: { key: StageKey; from: RewindTarget }): Promise<Rewound>;
  /** Commits live changes, all or none (rule 7), and returns them. */
  commitChanges(input: { key: StageKey; request: SetRequest }): Promise<Change[]>;
  /** Claims a new, larger term for the branch, which supersedes all smaller ones. */
  claimTerm(input: { key: BranchKey }): Promise<Lease>;
  /** Returns when this stage gets the next free trainer; until then it fails with `NotItsTurn` and is retried. */
  awaitTurn(input: { key: StageKey }): Promise<void>;
  /** Leaves the queue: the stage has its trainer, or no longer needs one. */
  leaveTrainerQueue(input: { key: StageKey }): Promise<void>;
  drawPrompts(input: DrawPromptsInput): Promise<DrawPromptsResult>;
  /** Scheduled by workflows of an earlier release only: it makes the stage start again from its rows. */
  joinRollouts(): Promise<Pick<WholeRollout, 'request' | 'rollout' | 'scores'>>;
  makeBatch(input: MakeBatchInput): Promise<MakeBatchResult>;
  makeSupervisedBatch(input: MakeSupervisedBatchInput): Promise<MakeBatchResult>;
  /** Reads which of a supervised stage's examples exist, and which are still to be sampled. */
  openExamples(input: { key: BranchKey }): Promise<ExamplesPosition>;
  drawSamples(input: DrawSamplesInput): Promise<DrawSamplesResult>;
  selectSamples(input: SelectSamplesInput): Promise<SampleCounts>;
  /** Builds the stage's data set from the selected samples and the included examples. */
  buildExamples(input: { key: BranchKey }): Promise<{ digest: string }>;
  recordStep(input: RecordStepInput): Promise<RecordStepResult>;
  commitCheckpoint(input: CommitCheckpointInput): Promise<CommittedCheckpoint>;
  drawEvaluation(input: DrawEvaluationInput): Promise<DrawEvaluationResult>;
  recordEvaluation(input: RecordEvaluationInput): Promise<RecordEvaluationResult>;
  setStageStatus(input: { key: StageKey; status: StageStatus; reason?: string }): Promise<void>;
  setRunStatus(input: { run: string; status: RunStatus; reason?: string }): Promise<void>;
}

/** Activities of the reward worker, on the queue `rewards`. */
export interface RewardActivities {
  scoreRollout(input: ScoreRolloutInput): Promise<ScoreRolloutResult>;
  /** Writes the sequences that a reward model is to score; null where it concerns no prompt of the shard. */
  prepareScoring(input: PrepareScoringInput): Promise<{ scoring: ModelScoring | null }>;
  /** Makes verdicts of what reward models have scored, and joins them with those by rule in one record. */
  addModelVerdicts(input: AddModelVerdictsInput): Promise<{ scores: Reference }>;
  /** Writes one slice of the held-out preferences as sequences for a reward-model stage's last checkpoint. */
  prepareRanking(input: {
    key: StageKey;
    slice: number;
  }): Promise<{ scoring: ModelScoring | null; slices: number }>;
  /**
   * Ranks held-out preferences by their scores, and stores the result. `needed`: the required accuracy
   * (`min_accuracy`).
   */
  rankPreferences(input: {
    key: StageKey;
    slices: ScoredByModel[];
  }): Promise<RewardModelMeasure & { needed: number }>;
  /** Scheduled by workflows of an earlier release only, as are `joinScores` and `measureRewardModel`. */
  scoreByModel(input: ScoreByModelInput): Promise<{ scores: Reference; seconds: number }>;
  /** Joins several score records of one rollout into one. */
  joinScores(input: { scores: Reference[] }): Promise<{ scores: Reference }>;
  /** Scores, ranks and stores in one. */
  measureRewardModel(input: { key: StageKey }): Promise<RewardModelMeasure & { needed: number }>;
}

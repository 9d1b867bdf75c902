import type { RaisedAlarm } from './alarms.ts';
import type { SampleCounts, SelectSamplesInput } from './datasets.ts';
import type { BranchKey, Lease, StageKey, StepKey } from './identity.ts';
import type { Numerics } from './numerics.ts';
import type { RewindTarget, Rewound, SetRequest } from './operator.ts';
import type { Change } from './options.ts';
import type { StagePlan } from './plan.ts';
import type { Cursor } from './records.ts';
import type { Reference } from './reference.ts';
import type { RewardRecipe } from './rewards.ts';
import type {
  CommittedCheckpoint,
  CurrentRollout,
  RunStatus,
  SamplingCost,
  StageStatus,
} from './stage-state.ts';
import type { CheckpointResult, TrainStepResult } from './training.ts';

/** A place where a stage went on under other numerics (rule 12): the first step under the new ones. */
export interface NumericsChange {
  step: number;
  before: Numerics;
  after: Numerics;
}

/** Reward → version of its verifier. */
export type VerifierVersions = Readonly<Record<string, number>>;

/** A step from which rewards are judged by other versions of their verifiers. */
export interface VerifierChange {
  step: number;
  /** of the rewards that changed */
  before: VerifierVersions;
  after: VerifierVersions;
}

/** A batch of the log, and what its step's row says, if there is one. */
export interface LoggedBatch {
  step: number;
  batch: Reference;
  /** of the rollout that begins with this step; 0 for its later steps */
  tokensSampled: number;
  /** null: trained perhaps, but no row was committed */
  recorded: { digestAfter: string | null; numerics: Numerics } | null;
}

/** Where a stage stands by the rows (rule 6): what `open-stage` answers. */
export interface StagePosition {
  branch: number;
  status: StageStatus;
  /** last step whose row is committed */
  step: number;
  /** last committed checkpoint, or the stage's initial one */
  checkpoint: CommittedCheckpoint;
  /** batches logged after that checkpoint, in order; the last may have no step row yet */
  logged: LoggedBatch[];
  /** numerics of the last step that has a row; null before the first */
  numerics: Numerics | null;
  cursor: Cursor;
  /** the rollout that the last logged batch was cut from, if further steps are to be cut from it */
  rollout: CurrentRollout | null;
  changes: Change[];
  seams: NumericsChange[];
  /** absent where an earlier release answered */
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
  /** dynamic sampling's refill: which round, and how many prompts are still wanted */
  round: number;
  prompts: number;
  /** slots already taken by earlier rounds: seeds hang on the slot */
  firstSlot: number;
}
export interface DrawPromptsResult {
  request: Reference;
  /** the walk's place after these prompts */
  cursor: Cursor;
  /** the temperature in force, which the whole rollout is sampled and scored with */
  temperature: number;
}

export interface ScoreRolloutInput {
  key: StageKey;
  rollout: Reference;
  /** by rule */
  rewards: RewardRecipe[];
}
/** The verdicts of one of the run's own reward models. */
export interface ScoreByModelInput {
  key: StageKey;
  rollout: Reference;
  reward: RewardRecipe;
}
export interface ScoreRolloutResult {
  scores: Reference;
  /** mean of each reward over completions without error */
  means: Record<string, number>;
  /** prompts neither all right nor all wrong, by place in the request */
  informative: number[];
  meanLength: number;
  /** a few completions for a person to read, cut to a few hundred characters */
  samples: { problem: string; text: string; score: string }[];
  seconds: number;
}

/** Joins the rounds of dynamic sampling into one rollout of the kept groups. */
export interface JoinRolloutsInput {
  key: BranchKey;
  firstStep: number;
  parts: { request: Reference; rollout: Reference; scores: Reference; keep: number[] }[];
  /** groups at most */
  groups: number;
}
export interface JoinRolloutsResult {
  request: Reference;
  rollout: Reference;
  scores: Reference;
}

export interface MakeBatchInput {
  key: StepKey;
  term: number;
  hand: CurrentRollout;
  /** digest of the policy before this step; null where `digest_steps` left it out */
  digestBefore: string | null;
  referenceDigest: string | null;
  /** whether the policy that sampled is the one that this step trains */
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
  /** where this batch is the first that other verifiers judged */
  verifierChange?: VerifierChange;
}

export interface MakeSupervisedBatchInput {
  key: StepKey;
  term: number;
  /** digest of the policy before this step; null where `digest_steps` left it out */
  digestBefore: string | null;
}

/** One request of samples for a supervised stage's examples. */
export interface SamplePart {
  /** counted over all sources of the stage */
  part: number;
  /** which of the plan's sampled sources */
  source: number;
}
export interface ExamplesPosition {
  /** digest of the data set, where it is made */
  made: string | null;
  /** where each sampled source's policy lies */
  policies: CommittedCheckpoint[];
  /** what has no committed selection yet, in order */
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
  result: TrainStepResult;
  /** of the rollout that begins with this step; zeros where the step trains on one already in hand */
  spent: SamplingCost & { logprobs: number };
  /** milliseconds since the epoch at which the workflow began this step */
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
  checkpoint: CheckpointResult;
  /** its step was recorded under other numerics than these weights were trained with: they may differ */
  acrossSeam: boolean;
}

export interface DrawEvaluationInput {
  key: StageKey;
  /** the name under which the evaluation is kept: `base` before any training */
  as: string;
  step: number;
  quick: boolean;
}
export interface RecordEvaluationInput extends DrawEvaluationInput {
  rollout: Reference;
  scores: Reference;
  checkpoint: Reference | null;
  /** left out by histories that were begun before it was told */
  spent?: SamplingCost;
}
export interface RecordEvaluationResult extends EvaluationSummary {
  /** raised with this evaluation */
  alarms: RaisedAlarm[];
}
/** How many problems are solved, with 95 % intervals. */
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

/** Activities of the orchestrator, on the queue `r1`: they fetch, store and decide. */
export interface OrchestratorActivities {
  /** The stage's options as the run's row holds them. */
  loadPlan(input: { run: string }): Promise<{ stages: StagePlan[] }>;
  /** Reads where a stage stands and marks it running. `historyStep`: what the workflow believes (rule 6). */
  openStage(input: { key: StageKey; historyStep: number | null }): Promise<StagePosition>;
  /** Begins a new branch of the stage after a committed step; what came after it stays readable. */
  rewindStage(input: { key: StageKey; from: RewindTarget }): Promise<Rewound>;
  /** Commits live changes, all or none (rule 7); answers with what was committed. */
  commitChanges(input: { key: StageKey; request: SetRequest }): Promise<Change[]>;
  /** Makes a new, larger term the branch's own; all smaller ones are superseded from here on. */
  claimTerm(input: { key: BranchKey }): Promise<Lease>;
  /** Returns when the next free trainer is this stage's; until then it fails with `NotItsTurn` and is asked again. */
  awaitTurn(input: { key: StageKey }): Promise<void>;
  /** The stage has its trainer, or wants none any more. */
  leaveTrainerQueue(input: { key: StageKey }): Promise<void>;
  drawPrompts(input: DrawPromptsInput): Promise<DrawPromptsResult>;
  joinRollouts(input: JoinRolloutsInput): Promise<JoinRolloutsResult>;
  makeBatch(input: MakeBatchInput): Promise<MakeBatchResult>;
  makeSupervisedBatch(input: MakeSupervisedBatchInput): Promise<MakeBatchResult>;
  /** What of a supervised stage's examples is there already, and what is still to be sampled. */
  openExamples(input: { key: BranchKey }): Promise<ExamplesPosition>;
  drawSamples(input: DrawSamplesInput): Promise<DrawSamplesResult>;
  selectSamples(input: SelectSamplesInput): Promise<SampleCounts>;
  /** Makes the stage's data set of what was selected and what joins it. */
  buildExamples(input: { key: BranchKey }): Promise<{ digest: string }>;
  recordStep(input: RecordStepInput): Promise<RecordStepResult>;
  commitCheckpoint(input: CommitCheckpointInput): Promise<CommittedCheckpoint>;
  drawEvaluation(input: DrawEvaluationInput): Promise<{ request: Reference }>;
  recordEvaluation(input: RecordEvaluationInput): Promise<RecordEvaluationResult>;
  setStageStatus(input: { key: StageKey; status: StageStatus; reason?: string }): Promise<void>;
  setRunStatus(input: { run: string; status: RunStatus; reason?: string }): Promise<void>;
}

/** Activities of the reward worker, on the queue `rewards`. */
export interface RewardActivities {
  scoreRollout(input: ScoreRolloutInput): Promise<ScoreRolloutResult>;
  scoreByModel(input: ScoreByModelInput): Promise<{ scores: Reference; seconds: number }>;
  /** Several verdicts on one rollout as one record. */
  joinScores(input: { scores: Reference[] }): Promise<{ scores: Reference }>;
  /**
   * Ranks held-out preferences by a reward-model stage's last checkpoint, and keeps the figure. `needed`: the
   * accuracy in force (`min_accuracy`).
   */
  measureRewardModel(input: { key: StageKey }): Promise<RewardModelMeasure & { needed: number }>;
}

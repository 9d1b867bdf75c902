import type { AlarmRule } from './alarms.ts';
import type { SelectionRule } from './datasets.ts';
import type { EvaluationOptions, GrpoOptions, RewardModelOptions, SftOptions } from './options.ts';
import type { ExampleSource } from './recipe.ts';
import type { CommittedCheckpoint } from './stage-state.ts';

/** Where a stage's policy starts: a model imported at launch, or the last checkpoint of an earlier stage. */
export type StageOrigin =
  | { kind: 'model'; name: string; checkpoint: CommittedCheckpoint }
  | { kind: 'stage'; stage: string };

/** What a stage's workflow needs to know of its recipe: decided at launch, read from the run's row. */
interface CommonStagePlan {
  stage: string;
  evaluation: EvaluationOptions;
  origin: StageOrigin;
  /** stages that must be complete before this one starts */
  needs: string[];
  /** what is watched for */
  alarms: AlarmRule[];
}
export interface ReinforcementPlan extends CommonStagePlan {
  algorithm: 'grpo';
  options: GrpoOptions;
}
export interface SupervisedPlan extends CommonStagePlan {
  algorithm: 'sft';
  options: SftOptions;
  data: DataPlan;
}
export interface RewardModelPlan extends CommonStagePlan {
  algorithm: 'reward-model';
  options: RewardModelOptions;
  objective: 'pairwise' | 'pointwise';
  /** digest of the preferences imported at launch */
  preferences: string;
}
export type StagePlan = ReinforcementPlan | SupervisedPlan | RewardModelPlan;

export type SampledSource = Extract<ExampleSource, { source: 'sampled' }>;

/** What a supervised stage's data set is made of. */
interface DataPlan {
  sampled: SampledSource[];
  /** which samples are kept */
  keep: SelectionRule;
  /** digests of the examples imported at launch: hand-written, generated */
  examples: string[];
  /** stages whose data sets are taken over */
  stages: string[];
}

/** What a run was launched with, resolved: written once at launch into the run's row, read by every activity. */
export interface RunPlan {
  /** 64 bits, decimal */
  seed: string;
  /** digest of the prompt set in Postgres, and how many prompts it has for training */
  promptSet: string;
  trainPrompts: number;
  /** domains of the set that are no reasoning */
  generalDomains: string[];
  promptFormat: 'chat' | 'text';
  /** absent in plans that an earlier release wrote: those runs keep reading text by rules 1 */
  textRules?: TextRules;
  stages: StagePlan[];
}

/** How prompts become tokens. */
export type TextPlan = Pick<RunPlan, 'promptFormat' | 'textRules'>;

/**
 * How a run reads text, fixed when it is launched. 2: special tokens that stand in prompts and responses are
 * characters; every end token that the model's files name ends a completion; `chat_template.jinja` comes before the
 * template in `tokenizer_config.json`; what a template writes of the answer (`<think>`) counts as part of it.
 * 1: none of these.
 */
export type TextRules = 1 | 2;

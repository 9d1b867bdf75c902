import type { AlarmRule } from './alarms.ts';
import type { SelectionRule } from './datasets.ts';
import type { EvaluationOptions, GrpoOptions, RewardModelOptions, SftOptions } from './options.ts';
import type { ExampleSource } from './recipe.ts';
import type { CommittedCheckpoint } from './stage-state.ts';

/** Where a stage's policy starts: a model imported at launch, or the last checkpoint of an earlier stage. */
export type StageOrigin =
  | { kind: 'model'; name: string; checkpoint: CommittedCheckpoint }
  | { kind: 'stage'; stage: string };

/** The part of a recipe that a stage's workflow needs: resolved at launch, read from the run's row. */
interface CommonStagePlan {
  stage: string;
  evaluation: EvaluationOptions;
  origin: StageOrigin;
  /** stages that must be complete before this one starts */
  needs: string[];
  /** the alarms to check */
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

/** The sources of a supervised stage's data set. */
interface DataPlan {
  sampled: SampledSource[];
  /** which samples are accepted */
  keep: SelectionRule;
  /** digests of the examples imported at launch, hand-written or generated */
  examples: string[];
  /** stages whose data sets are included */
  stages: string[];
}

/** The resolved recipe of a run: written once into the run's row at launch, read by every activity. */
export interface RunPlan {
  /** 64 bits, decimal */
  seed: string;
  /** digest of the prompt set in Postgres; `trainPrompts`: its number of prompts for training */
  promptSet: string;
  trainPrompts: number;
  /** domains of the set without reasoning */
  generalDomains: string[];
  promptFormat: 'chat' | 'text';
  /** absent in plans of an earlier release; these runs use rules 1 */
  textRules?: TextRules;
  stages: StagePlan[];
}

/** How prompts become tokens. */
export type TextPlan = Pick<RunPlan, 'promptFormat' | 'textRules'>;

/**
 * How a run converts text, fixed at launch. 3: as 2, and digits and words are split as Python's `tokenizers` splits
 * them, also numbers outside of ASCII. 2: special tokens inside prompts and responses are plain characters; every
 * end token in the model's files ends a completion; `chat_template.jinja` takes precedence over the template in
 * `tokenizer_config.json`; a start of the answer written by the template (`<think>`) is part of the answer.
 * 1: none of these.
 */
export type TextRules = 1 | 2 | 3;

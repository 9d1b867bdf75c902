/** What a stage does from begin to end, in the order of its workflow (`workflows/stage.ts`). */

import {
  originOf,
  type Recipe,
  type ReinforcementStageRecipe,
  type RewardModelStageRecipe,
  type StageRecipe,
  type SupervisedStageRecipe,
} from '../../contracts/recipe.ts';
import { isModelReward } from '../../contracts/rewards.ts';
import { measuredRewards } from '../evaluation/measured-rewards.ts';
import { ROWS_OF_SLICE } from '../evaluation/ranking.ts';
import { rewardPlan } from '../rl/reward-plan.ts';
import { rolloutOfStep, shardSizes } from '../rl/rollout-plan.ts';
import { completionLimitAt } from '../rl/schedules.ts';
import { milestonesAt } from '../run/milestones.ts';
import { type KeptCheckpoints, keptCheckpoints } from './kept-checkpoints.ts';
import * as operations from './operations.ts';
import { type Operation, sumOf } from './operations.ts';

export interface RunFacts {
  recipe: Recipe;
  /** weights of the model that a stage trains; 0 where unknown */
  parametersOf(stage: string): number;
  /** mean tokens of a response; null: unknown, and each is counted with the length limit */
  meanLength(stage: string): number | null;
  /** mean tokens of a prompt, with the chat template */
  promptTokens: number;
  /** held-out problems of general domains */
  generalHeldOut: number;
  /** stage → examples that come from files, not from sampling */
  givenExamples: Readonly<Record<string, number>>;
  /** stage → held-out preferences of a reward model; one slice where they are not known */
  heldOutPreferences: Readonly<Record<string, number>>;
}

/** Tokens of a number of responses of a stage, none longer than `limit`. */
const responseTokens = (
  { meanLength }: RunFacts,
  stage: string,
  { responses, limit }: { responses: number; limit: number },
): number => responses * Math.min(meanLength(stage) ?? limit, limit);

/** A part of a stage's work after which its history may end: at a checkpoint, a step, a sampled part. */
export interface Segment {
  done: Operation;
  at: 'checkpoint' | 'step' | 'part' | 'other';
}

/**
 * Assumes that nothing fails: no worker is lost, nothing is sampled twice, dynamic sampling needs one round. Steps that
 * do the same share one segment, as there may be a million of them.
 */
export function segmentsOf(stage: StageRecipe, facts: RunFacts): Segment[] {
  const steps = Array.from({ length: stage.options.max_steps }, (_, index) => index + 1);
  const known = new Map<string, Segment>();
  return [
    { done: sumOf([operations.opening(), ...prepared(stage, facts)]), at: 'other' },
    ...(stage.algorithm === 'sft' ? examplesOf(stage, facts) : []),
    { done: sumOf([operations.acquiring(), ...evaluationAt(0, stage, facts)]), at: 'other' },
    ...steps.map((step) => {
      const kind = kindOfStep(step, stage);
      const segment = known.get(kind) ?? stepSegment(step, stage, facts);
      known.set(kind, segment);
      return segment;
    }),
    { done: sumOf([...finished(stage, facts), operations.ending()]), at: 'other' },
  ];
}

function stepSegment(step: number, stage: StageRecipe, facts: RunFacts): Segment {
  const saved = milestonesAt(step, stage.options).save;
  const done = [...trainingAt(step, stage, facts), ...(saved ? [checkpointAt(step, stage, facts)] : [])];
  return {
    done: sumOf([...done, ...evaluationAt(step, stage, facts)]),
    at: saved ? 'checkpoint' : 'step',
  };
}

/** A key of everything that decides what a step does: steps with the same key do the same. */
function kindOfStep(step: number, stage: StageRecipe): string {
  const { save, evaluate } = milestonesAt(step, stage.options);
  const due = `${evaluate} ${save && savesReference(step, stage)} ${save}`;
  if (stage.algorithm !== 'grpo') return due;
  const { options } = stage;
  const { firstStep } = rolloutOfStep(step, options);
  const { byRule, byModel } = rewardPlan(options.rewards, firstStep);
  const limit = completionLimitAt(firstStep, options);
  return `${due} ${step === firstStep} ${limit} ${byRule.length} ${byModel.length}`;
}

function prepared(recipe: StageRecipe, { parametersOf }: RunFacts): Operation[] {
  if (recipe.algorithm === 'reward-model') return [operations.scalarHead(parametersOf(recipe.stage))];
  const { rewards = [] } = recipe.algorithm === 'grpo' ? recipe.options : {};
  return rewards.some(({ name }) => isModelReward(name)) ? [operations.scoredByModels()] : [];
}

/** A slice of held-out preferences is scored at a time. */
function finished(recipe: StageRecipe, facts: RunFacts): Operation[] {
  if (recipe.algorithm !== 'reward-model') return [];
  const { promptTokens, heldOutPreferences } = facts;
  const { stage, options } = recipe;
  const rows = heldOutPreferences[stage] ?? ROWS_OF_SLICE;
  const limit = responseLimit(options.max_length, facts);
  const slices = Array.from({ length: Math.ceil(rows / ROWS_OF_SLICE) }, (_, slice) => {
    const responses = responsesOf(recipe, Math.min(ROWS_OF_SLICE, rows - slice * ROWS_OF_SLICE));
    return { responses, promptTokens, tokens: responseTokens(facts, stage, { responses, limit }) };
  });
  return [operations.ranking(slices)];
}

/** A pair of preferences is two responses. */
const responsesOf = ({ algorithm, stage }: StageRecipe, rows: number) =>
  rows * (algorithm === 'reward-model' && stage !== 'reward-model/safety' ? 2 : 1);

/** `max_length` includes the prompt. */
const responseLimit = (maxLength: number, { promptTokens }: RunFacts) =>
  Math.max(1, maxLength - promptTokens);

function trainingAt(step: number, stage: StageRecipe, facts: RunFacts): Operation[] {
  if (stage.algorithm === 'grpo') return reinforcementAt(step, stage, facts);
  return [supervisedStep(stage, facts)];
}

function reinforcementAt(
  step: number,
  { stage, options }: ReinforcementStageRecipe,
  facts: RunFacts,
): Operation[] {
  const { firstStep, lastStep } = rolloutOfStep(step, options);
  const { promptTokens } = facts;
  const tokens = (responses: number) =>
    responseTokens(facts, stage, { responses, limit: completionLimitAt(firstStep, options) });
  const policies = (options.beta > 0 ? 1 : 0) + (lastStep > firstStep ? 1 : 0);
  const responses = options.prompts_per_step * options.num_generations;
  const trained = operations.step({
    responses,
    tokens: tokens(responses),
    promptTokens,
    perToken: 2 + policies,
  });
  if (step !== firstStep) return [trained];
  const { byRule, byModel } = rewardPlan(options.rewards, firstStep);
  const sampled = responses * options.steps_per_generation;
  const prompts = options.prompts_per_step * options.steps_per_generation;
  const sampling = {
    prompts,
    promptTokens,
    responses: sampled,
    tokens: tokens(sampled),
    rewards: byRule.length,
  };
  const extras = { models: byModel.length, policies, shardSizes: shardSizes(prompts, options) };
  return [operations.rollout(sampling, extras), trained];
}

function supervisedStep(stage: SupervisedStageRecipe | RewardModelStageRecipe, facts: RunFacts): Operation {
  const { per_device_train_batch_size: rows, max_length } = stage.options;
  const { promptTokens } = facts;
  const limit = responseLimit(max_length, facts);
  const withPrompts = stage.algorithm === 'reward-model';
  const responses = responsesOf(stage, rows);
  const tokens = responseTokens(facts, stage.stage, { responses, limit });
  return operations.step({ responses, tokens, promptTokens, perToken: 1, withPrompts });
}

/** The reference policy is stored once between two refreshes. */
function checkpointAt(step: number, recipe: StageRecipe, { parametersOf }: RunFacts): Operation {
  return operations.checkpoint(parametersOf(recipe.stage), { withReference: savesReference(step, recipe) });
}

/** The checkpoints that the stage's limits leave of all that it saves. */
export function checkpointsLeft(recipe: StageRecipe, { parametersOf }: RunFacts): KeptCheckpoints {
  const { algorithm, options } = recipe;
  const ofOne = (withReference: boolean) =>
    operations
      .checkpoint(parametersOf(recipe.stage), { withReference })
      .objects.reduce((sum, bytes) => sum + bytes, 0);
  const hasReference = algorithm === 'grpo' && options.beta > 0;
  return keptCheckpoints({
    options,
    own: ofOne(false),
    reference: hasReference ? ofOne(true) - ofOne(false) : 0,
    referenceAt: (step) => (hasReference ? refreshesBefore(step, recipe) : 0),
  });
}

/** How often the reference policy was replaced up to a step. */
const refreshesBefore = (step: number, { algorithm, options }: StageRecipe) =>
  algorithm === 'grpo' && options.sync_ref_model ? Math.floor(step / options.ref_model_sync_steps) : 0;

function savesReference(step: number, recipe: StageRecipe): boolean {
  const { algorithm, options } = recipe;
  const refreshes = (at: number) => refreshesBefore(at, recipe);
  const lastSaved = Math.floor((step - 1) / options.save_steps) * options.save_steps;
  const isOther = lastSaved === 0 || refreshes(step) > refreshes(lastSaved);
  return algorithm === 'grpo' && options.beta > 0 && isOther;
}

/** A reward model generates nothing. A model that several stages start from is evaluated by the first of them. */
function evaluationAt(step: number, stage: StageRecipe, facts: RunFacts): Operation[] {
  const { recipe, promptTokens, generalHeldOut } = facts;
  const { evaluate } = milestonesAt(step, stage.options);
  if (stage.algorithm === 'reward-model' || evaluate === null) return [];
  if (step === 0 && !measuresOrigin(stage, recipe)) return [];
  const { evaluation } = recipe;
  const general = Math.min(evaluation.general_problems, generalHeldOut);
  const [problems, k] =
    evaluate === 'quick'
      ? [evaluation.quick_problems, evaluation.quick_k]
      : [evaluation.problems + general, evaluation.k];
  const limit = evaluation.max_completion_length;
  const tokens = responseTokens(facts, stage.stage, { responses: problems * k, limit });
  const rewards = measuredRewards(evaluation.language).length;
  const sampling = { prompts: problems, promptTokens, responses: problems * k, tokens, rewards };
  return [operations.evaluation(sampling, shardSizes(problems, evaluation))];
}

function measuresOrigin(stage: StageRecipe, { stages }: Recipe): boolean {
  const origin = originOf(stage);
  const isModel = origin === 'base' || origin.startsWith('student/');
  const first = stages.find((other) => other.algorithm !== 'reward-model' && originOf(other) === origin);
  return isModel && first?.stage === stage.stage;
}

/** The parts of each sampled source, with a trainer for each source, then the data set. */
function examplesOf(recipe: SupervisedStageRecipe, facts: RunFacts): Segment[] {
  const sources = recipe.data.flatMap((source) => (source.source === 'sampled' ? [source] : []));
  const parts = sources.flatMap((source) => {
    const { prompts, prompts_per_request: perRequest } = source;
    return Array.from({ length: Math.ceil(prompts / perRequest) }, (_, part): Segment => {
      const done = partOf(source, Math.min(perRequest, prompts - part * perRequest), facts);
      return {
        done: part === 0 ? sumOf([operations.acquiring(), done, operations.releasing()]) : done,
        at: 'part',
      };
    });
  });
  const made = takesOver(recipe)
    ? operations.datasetTakenOver()
    : operations.dataset(mostExamples(recipe, facts));
  return [{ done: operations.readingExamples(), at: 'other' }, ...parts, { done: made, at: 'other' }];
}

type SampledSource = Extract<SupervisedStageRecipe['data'][number], { source: 'sampled' }>;

function partOf(source: SampledSource, prompts: number, facts: RunFacts): Operation {
  const responses = prompts * source.num_generations;
  const rewards = measuredRewards(facts.recipe.evaluation.language).length;
  const { policy, max_completion_length: limit } = source;
  const tokens = responseTokens(facts, policy, { responses, limit });
  return operations.samplePart({ prompts, promptTokens: facts.promptTokens, responses, tokens, rewards });
}

/** A stage whose only source is another stage's data set trains on that data set itself. */
const takesOver = ({ data }: SupervisedStageRecipe) => data.length === 1 && data[0]?.source === 'stage';

/**
 * Rows of a stage's data set if no sample within the quota is rejected. Stages that take over each other's data sets
 * are counted once each.
 */
function mostExamples(
  recipe: SupervisedStageRecipe,
  facts: RunFacts,
  counted: Map<string, number> = new Map(),
): number {
  const known = counted.get(recipe.stage);
  if (known !== undefined) return known;
  const quota = recipe.keep.per_prompt ?? Number.POSITIVE_INFINITY;
  const ofSources = recipe.data.map((source) => {
    if (source.source === 'sampled') return source.prompts * Math.min(quota, source.num_generations);
    if (source.source !== 'stage') return 0;
    const other = facts.recipe.stages.find(({ stage }) => stage === source.stage);
    return other?.algorithm === 'sft' ? mostExamples(other, facts, counted) : 0;
  });
  const given = facts.givenExamples[recipe.stage] ?? 0;
  const rows = ofSources.reduce((sum, of) => Math.min(sum + of, Number.MAX_SAFE_INTEGER), given);
  counted.set(recipe.stage, rows);
  return rows;
}

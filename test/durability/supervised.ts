/** A run of every kind of stage whose deaths are compared: a policy, examples sampled from it, a reward model. */
import { type Recipe, recipeSchema } from '../../contracts/recipe.ts';
import { rowContents } from '../../stores/data/dataset-rows.ts';
import { datasetHash, getDataset } from '../../stores/data/datasets.ts';
import { listSamples } from '../../stores/data/samples.ts';
import { readStageDataset } from '../../stores/runs/stages.ts';
import { type Ground, openGround, runThrough, STAGE } from './ground.ts';
import { type Outcome, outcomeOf } from './outcome.ts';

export const SFT_STAGE = 'cold-start-sft';
export const REWARD_MODEL_STAGE = 'reward-model/helpfulness';

/** Steps of the policy that samples. */
const POLICY_STEPS = 2;
/** Checkpoints lie at 3 and at the end; steps 6 and 7 are the reward model's alone. */
const SAVE_STEPS = 3;
const SFT_STEPS = 5;
const REWARD_MODEL_STEPS = 7;

const optimiser = { learning_rate: 1e-3, warmup_steps: 1, save_steps: SAVE_STEPS };
const supervised = { ...optimiser, lr_scheduler_type: 'cosine', max_length: 64 };

/** Three parts are sampled; a pass of the examples is some four steps, so that steps and passes do not end together. */
const examples = {
  data: [
    {
      source: 'sampled',
      policy: STAGE,
      prompts: 9,
      prompts_per_request: 3,
      num_generations: 4,
      max_completion_length: 16,
    },
    { source: 'nano-general', rows: 5 },
  ],
  keep: { min_thinking_words: 0, per_prompt: 1 },
};

export interface SupervisedRecipe {
  /** share of held-out pairs that the reward model must rank rightly */
  minAccuracy?: number;
}

export const supervisedRecipe =
  ({ minAccuracy = 0 }: SupervisedRecipe = {}) =>
  (base: string): Recipe =>
    recipeSchema.parse({
      name: 'supervised',
      seed: 7,
      base,
      prompts: { source: 'nano-sums', terms: 2, limit: 6, train: 20, test: 1 },
      evaluation: { problems: 1, k: 2, quick_problems: 1, quick_k: 2, max_completion_length: 16 },
      stages: [
        {
          stage: STAGE,
          algorithm: 'grpo',
          options: {
            learning_rate: 1e-3,
            max_steps: POLICY_STEPS,
            prompts_per_step: 4,
            num_generations: 4,
            max_completion_length: 16,
            beta: 0,
          },
        },
        {
          stage: SFT_STAGE,
          algorithm: 'sft',
          ...examples,
          options: { ...supervised, max_steps: SFT_STEPS, per_device_train_batch_size: 3 },
        },
        {
          stage: REWARD_MODEL_STAGE,
          algorithm: 'reward-model',
          preferences: { source: 'nano', train: 16, test: 8 },
          options: {
            ...supervised,
            max_steps: REWARD_MODEL_STEPS,
            per_device_train_batch_size: 3,
            min_accuracy: minAccuracy,
          },
        },
      ],
    });

export const openSupervisedGround = () => openGround({ recipe: supervisedRecipe() });

/** Runs it with workers that meet these failpoints, all of which must have happened. */
export const runSupervised = (ground: Ground, run: string, failpoints: string[] = []) =>
  runThrough(ground, run, failpoints, null);

interface DatasetOutcome {
  /** of rule, policy and each row's prompt and text in order: the data set's own, but for its name, which is the run's */
  digest: string;
  frozen: boolean;
  rejected: Record<string, number>;
  /** every sample, accepted or rejected, with its seed, verdicts and reason */
  samples: object[];
}

export interface SupervisedOutcome {
  dataset: DatasetOutcome;
  stages: Record<string, Outcome>;
}

export async function supervisedOutcome(ground: Ground, run: string): Promise<SupervisedOutcome> {
  const stages = [SFT_STAGE, REWARD_MODEL_STAGE];
  const outcomes = stages.map(async (stage) => [stage, await outcomeOf(ground, run, stage)]);
  return {
    dataset: await datasetOf(ground, run),
    stages: Object.fromEntries(await Promise.all(outcomes)),
  };
}

async function datasetOf({ connections }: Ground, run: string): Promise<DatasetOutcome> {
  const database = await connections.database();
  const dataset = await getDataset(database, await readStageDataset(database, { run, stage: SFT_STAGE }));
  const hash = datasetHash({ name: 'of any run', rule: dataset.rule, policy: dataset.policy });
  for await (const contents of rowContents(database, dataset.id, dataset.rows)) hash.add(contents);
  const samples = await listSamples(database, run, { stage: SFT_STAGE, limit: 1_000 });
  return {
    ...hash.end(),
    frozen: dataset.frozenAt !== null,
    rejected: dataset.rejected,
    samples: samples.map(({ checkpoint: _ofThisRun, ...sample }) => sample),
  };
}

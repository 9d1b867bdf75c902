import type { RewardModelPlan, RunPlan, SupervisedPlan } from '../contracts/activities.ts';
import { Failure } from '../contracts/failures.ts';
import type { StageKey } from '../contracts/identity.ts';
import type { SupervisedObjective } from '../contracts/records.ts';
import type { Tokenizer } from '../engine/tokenizer.ts';
import { countExamples, readExamples } from '../stores/dataset-rows.ts';
import { countPreferences, readPreferences } from '../stores/preferences.ts';
import { readStageDataset } from '../stores/stage-data.ts';
import { tokenizerOf } from './checkpoint-files.ts';
import type { Stores } from './dependencies.ts';
import { exampleTokens } from './example-tokens.ts';
import { initialOf } from './plan-of.ts';
import { rewardModelTokens } from './reward-model-tokens.ts';

/** A response to be learned from, as tokens. */
export interface TrainingSequence {
  prompt: number[];
  completion: number[];
  /** of a labelled response: 1 good, 0 bad */
  label?: number;
}

/** What a supervised stage trains on. A pair is two sequences, chosen and rejected. */
export interface TrainingData {
  objective: SupervisedObjective;
  digest: string;
  /** rows that the walk goes over */
  size: number;
  read(ordinals: readonly number[]): Promise<TrainingSequence[]>;
}

export async function openTrainingData(
  stores: Stores,
  key: StageKey,
  run: RunPlan,
  plan: SupervisedPlan | RewardModelPlan,
): Promise<TrainingData> {
  const { manifest } = await initialOf(stores.database, key);
  const tokenizer = await tokenizerOf(stores.objects, manifest);
  const encode = (problem: string, response: string) => {
    const tokens = exampleTokens(tokenizer, run.promptFormat, problem, response);
    refuseTooLong(tokens, plan.options.max_length, problem);
    return tokens;
  };
  return plan.algorithm === 'sft'
    ? openExamples(stores, key, encode)
    : openPreferences(stores, run, plan, tokenizer);
}

type Encode = (problem: string, response: string) => TrainingSequence;

function refuseTooLong({ prompt, completion }: TrainingSequence, most: number, problem: string): void {
  const length = prompt.length + completion.length;
  if (length <= most) return;
  throw new Failure(
    'InvalidInput',
    `expected at most ${most} tokens an example (max_length), found ${length} for ${JSON.stringify(problem.slice(0, 80))}; ` +
      'raise max_length or leave longer ones out of the data (keep.max_tokens)',
  );
}

async function openExamples(
  { database, objects }: Stores,
  key: StageKey,
  encode: Encode,
): Promise<TrainingData> {
  const digest = await readStageDataset(database, key);
  return {
    objective: 'sft',
    digest,
    size: await countExamples(database, digest),
    read: async (ordinals) =>
      (await readExamples(database, objects, digest, ordinals)).map(({ problem, response }) =>
        encode(problem, response),
      ),
  };
}

async function openPreferences(
  { database }: Stores,
  { promptFormat }: RunPlan,
  { objective, preferences: digest, options }: RewardModelPlan,
  tokenizer: Tokenizer,
): Promise<TrainingData> {
  const judgedFor = objective === 'pairwise' ? 'helpfulness' : 'safety';
  const encode = (problem: string, response: string) => {
    const tokens = rewardModelTokens(tokenizer, promptFormat, { judgedFor, problem, response });
    refuseTooLong(tokens, options.max_length, problem);
    return tokens;
  };
  return {
    objective,
    digest,
    size: await countPreferences(database, digest, 'train'),
    read: async (ordinals) =>
      (await readPreferences(database, digest, 'train', ordinals)).flatMap((row) =>
        row.kind === 'pair'
          ? [encode(row.prompt, row.chosen), encode(row.prompt, row.rejected)]
          : [{ ...encode(row.prompt, row.response), label: Number(row.safe) }],
      ),
  };
}

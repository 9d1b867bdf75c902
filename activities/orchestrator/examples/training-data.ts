import { Failure } from '../../../contracts/failures.ts';
import type { StageKey } from '../../../contracts/identity.ts';
import type { RewardModelPlan, RunPlan, SupervisedPlan } from '../../../contracts/plan.ts';
import type { SupervisedObjective } from '../../../contracts/records/schemas.ts';
import type { Tokenizer } from '../../../engine/tokenizer/tokenizer.ts';
import { countExamples, readExamples } from '../../../stores/data/dataset-rows.ts';
import { countPreferences, readPreferences } from '../../../stores/data/preferences.ts';
import { readStageDataset } from '../../../stores/runs/stages.ts';
import { tokenizerOf } from '../../checkpoints/checkpoint-files.ts';
import type { Stores } from '../../dependencies.ts';
import { initialOf } from '../../plan-of.ts';
import { exampleTokens } from './example-tokens.ts';
import { rewardModelTokens } from './reward-model-tokens.ts';

/** A response to be learned from, as tokens. */
export interface TrainingSequence {
  prompt: number[];
  completion: number[];
  /** of a labelled response: 1 good, 0 bad */
  label?: number;
}

/** The data that a supervised stage trains on. */
export interface TrainingData {
  objective: SupervisedObjective;
  digest: string;
  /** rows */
  size: number;
  /** The sequences of each row: chosen and rejected for a pair; none for a row that cannot be trained on. */
  read(ordinals: readonly number[]): Promise<TrainingSequence[][]>;
}

export async function openTrainingData(
  stores: Stores,
  key: StageKey,
  run: RunPlan,
  plan: SupervisedPlan | RewardModelPlan,
): Promise<TrainingData> {
  const { manifest } = await initialOf(stores.database, key);
  const tokenizer = await tokenizerOf(stores.objects, manifest, run);
  return plan.algorithm === 'sft'
    ? openExamples(stores, key, { tokenizer, run, plan })
    : openPreferences(stores, { tokenizer, run, plan });
}

interface Reader<Plan> {
  tokenizer: Tokenizer;
  run: RunPlan;
  plan: Plan;
}

const lengthOf = ({ prompt, completion }: TrainingSequence) => prompt.length + completion.length;

/**
 * Examples encoded by the stage's own tokenizer, which may differ from the one of the policy that sampled them. Examples
 * longer than `max_length`, or with text that the tokenizer cannot encode, are left out.
 */
async function openExamples(
  { database, objects }: Stores,
  key: StageKey,
  { tokenizer, run, plan }: Reader<SupervisedPlan>,
): Promise<TrainingData> {
  const digest = await readStageDataset(database, key);
  const sequencesOf = ({ problem, response }: { problem: string; response: string }) => {
    const tokens = exampleTokens(tokenizer, run.promptFormat, problem, response);
    const fits =
      lengthOf(tokens) <= plan.options.max_length &&
      tokens.completion.every((id) => id !== tokenizer.unknownTokenId);
    return fits ? [tokens] : [];
  };
  return {
    objective: 'sft',
    digest,
    size: await countExamples(database, digest),
    read: async (ordinals) => (await readExamples(database, objects, digest, ordinals)).map(sequencesOf),
  };
}

/** Preferences, all of which were found to fit when the run was launched. */
async function openPreferences(
  { database }: Stores,
  { tokenizer, run, plan: { objective, preferences: digest, options } }: Reader<RewardModelPlan>,
): Promise<TrainingData> {
  const judgedFor = objective === 'pairwise' ? 'helpfulness' : 'safety';
  const encode = (problem: string, response: string) => {
    const tokens = rewardModelTokens(tokenizer, run.promptFormat, { judgedFor, problem, response });
    refuseTooLong(tokens, options.max_length, problem);
    return tokens;
  };
  return {
    objective,
    digest,
    size: await countPreferences(database, digest, 'train'),
    read: async (ordinals) =>
      (await readPreferences(database, digest, 'train', ordinals)).map((row) =>
        row.kind === 'pair'
          ? [encode(row.prompt, row.chosen), encode(row.prompt, row.rejected)]
          : [{ ...encode(row.prompt, row.response), label: Number(row.safe) }],
      ),
  };
}

function refuseTooLong(tokens: TrainingSequence, most: number, problem: string): void {
  const length = lengthOf(tokens);
  if (length <= most) return;
  throw new Failure(
    'InvalidInput',
    `expected at most ${most} tokens per response with its prompt (max_length), found ${length} for ` +
      `${JSON.stringify(problem.slice(0, 80))}; raise max_length or leave longer ones out of the preferences`,
  );
}

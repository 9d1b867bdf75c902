import { firstCursor, take } from '../../../algorithm/rl/prompt-order.ts';
import { sum } from '../../../algorithm/rl/sample-statistics.ts';
import { supervisedNumbersInForce } from '../../../algorithm/rl/schedules.ts';
import { weightsCheckAt } from '../../../algorithm/run/milestones.ts';
import type { MakeBatchResult, MakeSupervisedBatchInput } from '../../../contracts/activities.ts';
import { Failure } from '../../../contracts/failures.ts';
import type { StepKey } from '../../../contracts/identity.ts';
import type { Change } from '../../../contracts/options.ts';
import type { RewardModelPlan, SupervisedPlan } from '../../../contracts/plan.ts';
import {
  type Cursor,
  RECORD_VERSION,
  type SupervisedBatchRecord,
  type SupervisedObjective,
} from '../../../contracts/records/schemas.ts';
import type { Reference } from '../../../contracts/reference.ts';
import { keys } from '../../../stores/objects/keys.ts';
import { putRecord, type Tensors } from '../../../stores/objects/records.ts';
import { listChanges } from '../../../stores/runs/changes.ts';
import { commitBatch, findBatch } from '../../../stores/steps/batches.ts';
import { policyBefore } from '../../../stores/steps/policies.ts';
import type { WatchedStores } from '../../dependencies.ts';
import { planOf, stagePlanOf } from '../../plan-of.ts';
import { floats, ints, sequenceTensors } from '../../ragged.ts';
import { openTrainingData, type TrainingData, type TrainingSequence } from './training-data.ts';

/**
 * Makes the log record of one supervised step and commits its row (rule 2). The rows of a step are a function of the
 * step and the run's seed: each step takes the next `per_device_train_batch_size` rows of the order of its epoch.
 */
export async function makeSupervisedBatch(
  stores: WatchedStores,
  input: MakeSupervisedBatchInput,
): Promise<MakeBatchResult> {
  const { database, objects, failpoints } = stores;
  const { key, term } = input;
  const committed = await findBatch(database, key);
  if (committed !== null) return committed.result;
  const runPlan = await planOf(database, key.run);
  const plan = stagePlanOf(runPlan, key.stage) as SupervisedPlan | RewardModelPlan;
  const data = await openTrainingData(stores, key, runPlan, plan);
  const drawn = await draw(data, key, BigInt(runPlan.seed), plan);
  const before = input.policyBefore ?? (await policyBefore(database, key));
  const { record, tensors } = recordOf(
    { ...input, policyBefore: before },
    plan,
    data,
    drawn,
    await listChanges(database, key),
  );
  const batch = await putRecord(objects, keys.batch(key), record, tensors);
  failpoints.reached('batch-object', key.step);
  const summary = summaryOf(drawn);
  const result = resultOf(batch, drawn, summary, record.numbers.learning_rate);
  const logged = await commitBatch(database, {
    key,
    term,
    batch,
    hand: null,
    record,
    summary,
    health: null,
    verifiers: null,
    result,
    uses: [],
  });
  failpoints.reached('batch-row', key.step);
  return logged;
}

/** The rows that a step takes from its data. */
interface Drawn {
  /** [N] */
  sequencesN: TrainingSequence[];
  /** [B] ordinals of the rows that are trained on */
  ordinals: number[];
  /** rows left out */
  dropped: number;
  cursorBefore: Cursor;
  cursorAfter: Cursor;
}

async function draw(
  data: TrainingData,
  { run, stage, step }: StepKey,
  runSeed: bigint,
  { options }: SupervisedPlan | RewardModelPlan,
): Promise<Drawn> {
  const size = options.per_device_train_batch_size;
  const before = cursorAfter(step - 1, size, data.size);
  const { indices, next } = take(before, size, { runSeed, stage, size: data.size });
  const rows = await data.read(indices);
  const isKept = (_: unknown, index: number) => (rows[index] ?? []).length > 0;
  const ordinals = indices.filter(isKept);
  refuseEmpty(`${run}/${stage}: step ${step}`, options.max_length, indices.length, ordinals.length);
  const dropped = indices.length - ordinals.length;
  return { sequencesN: rows.flat(), ordinals, dropped, cursorBefore: before, cursorAfter: next };
}

/** Examples that are too long for the stage, or that its tokenizer cannot encode, are left out; a step needs at least one. */
function refuseEmpty(where: string, longest: number, drawn: number, kept: number): void {
  if (kept > 0) return;
  throw new Failure(
    'EmptyBatch',
    `${where}: expected examples of at most ${longest} tokens (max_length) that the stage's tokenizer can encode, ` +
      `found none among ${drawn}. Launch again with a larger max_length, or with examples that this model can read`,
  );
}

function recordOf(
  { key, policyBefore, digestBefore }: MakeSupervisedBatchInput & { policyBefore: string },
  plan: SupervisedPlan | RewardModelPlan,
  { objective, digest }: TrainingData,
  { cursorBefore, cursorAfter, sequencesN, ordinals }: Drawn,
  changes: readonly Change[],
): { record: SupervisedBatchRecord; tensors: Tensors } {
  const record: SupervisedBatchRecord = {
    kind: 'supervised-batch',
    version: RECORD_VERSION,
    key,
    objective,
    data: digest,
    packing: plan.algorithm === 'sft' && plan.options.packing,
    numbers: supervisedNumbersInForce(key.step, plan.options, changes),
    policyBefore,
    digestBefore,
    cursorBefore,
    cursorAfter,
    checkAfter: weightsCheckAt(key.step, plan.options, false),
  };
  return { record, tensors: tensorsOf(objective, sequencesN, ordinals) };
}

const tokensOf = ({ sequencesN }: Drawn) => sum(sequencesN.map(({ completion }) => completion.length));

/** Summary of a batch without rewards. */
const summaryOf = (drawn: Drawn) => ({
  reward: null,
  rewards: null,
  accuracy: null,
  meanLength: tokensOf(drawn) / Math.max(1, drawn.sequencesN.length),
  zeroVarianceShare: null,
  dropped: drawn.dropped,
});

function resultOf(
  batch: Reference,
  drawn: Drawn,
  { reward, accuracy, meanLength, dropped }: ReturnType<typeof summaryOf>,
  learningRate: number,
): MakeBatchResult {
  const [completions, tokens] = [drawn.sequencesN.length, tokensOf(drawn)];
  return { batch, completions, tokens, dropped, reward, accuracy, meanLength, learningRate };
}

/** The cursor after `steps` steps of `size` rows each, over `rows` rows. */
function cursorAfter(steps: number, size: number, rows: number): Cursor {
  const taken = steps * size;
  return taken === 0 ? firstCursor : { pass: Math.floor(taken / rows), position: taken % rows };
}

function tensorsOf(
  objective: SupervisedObjective,
  sequencesN: readonly TrainingSequence[],
  ordinals: readonly number[],
): Tensors {
  const promptsN = sequencesN.map(({ prompt }) => prompt);
  const completionsN = sequencesN.map(({ completion }) => completion);
  const tensors: Tensors = new Map([
    ...sequenceTensors(promptsN, completionsN),
    ['ordinals', ints(Int32Array.from(ordinals))],
    ['lossWeights', floats(lossWeights(objective, sequencesN))],
  ]);
  if (objective === 'pointwise') {
    tensors.set('labels', floats(Float32Array.from(sequencesN, ({ label }) => label ?? 0)));
  }
  return tensors;
}

/**
 * Every token of the responses has the same weight: w = 1 ÷ tokens of the step's batch. Pairs and labelled responses have
 * the weight 1 ÷ their number.
 */
function lossWeights(objective: SupervisedObjective, sequencesN: readonly TrainingSequence[]): Float32Array {
  const tokens = sum(sequencesN.map(({ completion }) => completion.length));
  const shares = { sft: tokens, pairwise: sequencesN.length / 2, pointwise: sequencesN.length };
  return new Float32Array(sequencesN.length).fill(1 / shares[objective]);
}

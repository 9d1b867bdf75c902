import { milestonesAt } from '../algorithm/milestones.ts';
import { firstCursor, take } from '../algorithm/prompt-cursor.ts';
import { sum } from '../algorithm/sample-moments.ts';
import { supervisedNumbersInForce } from '../algorithm/schedules.ts';
import type {
  MakeBatchResult,
  MakeSupervisedBatchInput,
  RewardModelPlan,
  SupervisedPlan,
} from '../contracts/activities.ts';
import type { Cursor, SupervisedBatchRecord, SupervisedObjective } from '../contracts/records.ts';
import { commitBatch, findBatch } from '../stores/batches.ts';
import { listChanges } from '../stores/changes.ts';
import { keys } from '../stores/keys.ts';
import { putRecord, type Tensors } from '../stores/records.ts';
import type { WatchedStores } from './dependencies.ts';
import { planOf, stagePlanOf } from './plan-of.ts';
import { floats, ints, joinInts, lengthsOf } from './ragged.ts';
import { openTrainingData, type TrainingSequence } from './training-data.ts';

/**
 * Makes the log record of one supervised step and commits its row (rule 2). Which rows a step takes is a function of
 * the step alone: the walk over the data set goes on by the batch's size at every step.
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
  const walk = { runSeed: BigInt(runPlan.seed), stage: key.stage, size: data.size };
  const size = plan.options.per_device_train_batch_size;
  const cursorBefore = cursorAfter(key.step - 1, size, data.size);
  const { indices, next } = take(cursorBefore, size, walk);
  const sequencesN = await data.read(indices);
  const record: SupervisedBatchRecord = {
    kind: 'supervised-batch',
    key,
    objective: data.objective,
    data: data.digest,
    packing: plan.algorithm === 'sft' && plan.options.packing,
    numbers: supervisedNumbersInForce(key.step, plan.options, await listChanges(database, key)),
    digestBefore: input.digestBefore,
    cursorBefore,
    cursorAfter: next,
    digestAfter: milestonesAt(key.step, plan.options).digest,
  };
  const batch = await putRecord(
    objects,
    keys.batch(key, term),
    record,
    tensorsOf(data.objective, sequencesN, indices),
  );
  failpoints.reached('batch-object', key.step);
  const lengths = sequencesN.map(({ completion }) => completion.length);
  const tokens = sum(lengths);
  const summary = {
    reward: null,
    rewards: null,
    accuracy: null,
    meanLength: tokens / Math.max(1, lengths.length),
    zeroVarianceShare: null,
    dropped: 0,
  };
  const { meanLength, reward, accuracy, dropped } = summary;
  const learningRate = record.numbers.learning_rate;
  const completions = sequencesN.length;
  const result = { batch, completions, tokens, dropped, reward, accuracy, meanLength, learningRate };
  const logged = await commitBatch(database, {
    key,
    term,
    batch,
    hand: null,
    record,
    summary,
    signs: null,
    result,
    uses: [],
  });
  failpoints.reached('batch-row', key.step);
  return logged;
}

/** Where the walk stands after `steps` steps of `size` rows each, over `rows` rows. */
function cursorAfter(steps: number, size: number, rows: number): Cursor {
  const taken = steps * size;
  return taken === 0 ? firstCursor : { pass: Math.floor(taken / rows), position: taken % rows };
}

function tensorsOf(
  objective: SupervisedObjective,
  sequencesN: readonly TrainingSequence[],
  ordinals: readonly number[],
): Tensors {
  const [prompts, completions] = [
    sequencesN.map(({ prompt }) => prompt),
    sequencesN.map(({ completion }) => completion),
  ];
  const tensors: Tensors = new Map([
    ['promptTokens', ints(joinInts(prompts))],
    ['promptLengths', ints(lengthsOf(prompts))],
    ['completionTokens', ints(joinInts(completions))],
    ['completionLengths', ints(lengthsOf(completions))],
    ['ordinals', ints(Int32Array.from(ordinals))],
    ['lossWeights', floats(lossWeights(objective, sequencesN))],
  ]);
  if (objective === 'pointwise') {
    tensors.set('labels', floats(Float32Array.from(sequencesN, ({ label }) => label ?? 0)));
  }
  return tensors;
}

/**
 * Every token of the responses weighs the same: w = 1 ÷ tokens of the step's batch. A pair's two sides, and a
 * labelled response, weigh 1 ÷ their number.
 */
function lossWeights(objective: SupervisedObjective, sequencesN: readonly TrainingSequence[]): Float32Array {
  const tokens = sum(sequencesN.map(({ completion }) => completion.length));
  const shares = { sft: tokens, pairwise: sequencesN.length / 2, pointwise: sequencesN.length };
  return new Float32Array(sequencesN.length).fill(1 / shares[objective]);
}

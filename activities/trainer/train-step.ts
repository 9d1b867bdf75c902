import { Failure } from '../../contracts/failures.ts';
import type { BatchRecord, SupervisedBatchRecord } from '../../contracts/records.ts';
import type { TrainStepInput, TrainStepResult } from '../../contracts/training.ts';
import type { TrainArrays, Trained } from '../../engine/service/service-arrays.ts';
import type { SupervisedArrays } from '../../engine/train/supervised-step.ts';
import type { DecodedRecord } from '../../stores/objects/records.ts';
import { split } from '../ragged.ts';
import { readLoggedBatch } from '../records.ts';
import { type HeldPolicy, policyOf, type TrainerContext } from './held-policy.ts';

/**
 * Trains one logged batch. The log record contains every number: the first attempt and a replay are identical. If the
 * batch is the last one trained, its result is returned again.
 */
export function trainStep(context: TrainerContext, input: TrainStepInput): Promise<TrainStepResult> {
  return context.exclusive(async () => {
    const started = performance.now();
    const held = policyOf(context, input.lease);
    if (held.last?.batch.sha256 === input.batch.sha256) return held.last.result;
    refuseOtherStep(held, input.expectedStep);
    const batch = await readLoggedBatch(context.objects, input.batch);
    if (!input.acrossSeam) refuseOtherStart(held, batch.record);
    const trained = await train(context, batch);
    const result: TrainStepResult = {
      step: input.expectedStep + 1,
      digestBefore: held.digest,
      digestAfter: trained.digestAfter,
      referenceDigest: trained.referenceDigest,
      metrics: trained.metrics,
      numerics: held.numerics,
      seconds: (performance.now() - started) / 1000,
    };
    held.step = result.step;
    held.digest = trained.digestAfter;
    held.referenceDigest = trained.referenceDigest;
    held.last = { batch: input.batch, result };
    context.failpoints.reached('trained', result.step);
    return result;
  });
}

/** The batch's record decides which objective it is trained with. */
function train(
  { engine }: TrainerContext,
  batch: DecodedRecord<BatchRecord | SupervisedBatchRecord>,
): Promise<Trained> {
  return isSupervised(batch)
    ? engine.call('trainSupervised', supervisedArraysOf(batch))
    : engine.call('train', arraysOf(batch as DecodedRecord<BatchRecord>));
}

const isSupervised = (
  batch: DecodedRecord<BatchRecord | SupervisedBatchRecord>,
): batch is DecodedRecord<SupervisedBatchRecord> => batch.record.kind === 'supervised-batch';

function refuseOtherStep(held: HeldPolicy, expectedStep: number): void {
  if (held.step === expectedStep) return;
  throw new Failure(
    'TrainerLost',
    `expected a policy of ${expectedStep} steps, found one of ${held.step}: acquire again`,
  );
}

/** The batch names the weights and the reference that it starts from; all that are known must match (rule 9). */
function refuseOtherStart(held: HeldPolicy, record: BatchRecord | SupervisedBatchRecord): void {
  const { key, digestBefore } = record;
  const referenceDigest = record.kind === 'batch' ? record.referenceDigest : null;
  const pairs = [
    ['weights', digestBefore, held.digest],
    ['reference', referenceDigest, held.referenceDigest],
  ] as const;
  for (const [part, expected, found] of pairs) {
    if (expected === null || found === null || expected === found) continue;
    throw new Failure(
      'Contradiction',
      `step ${key.step}: the batch expects ${part} with digest ${expected}, the trainer holds ${found}`,
    );
  }
}

function arraysOf(batch: DecodedRecord<BatchRecord>): TrainArrays {
  const { record } = batch;
  const lengthsN = batch.ints('completionLengths');
  const perSequence = (name: string) => split(batch.floats(name), lengthsN);
  return {
    promptsN: split(batch.ints('promptTokens'), batch.ints('promptLengths')),
    completionsN: split(batch.ints('completionTokens'), lengthsN),
    advantagesN: batch.floats('advantages'),
    lossWeightsN: batch.floats('lossWeights'),
    samplerLogprobsN: perSequence('samplerLogprobs'),
    oldLogprobsN: record.old === 'own' ? null : perSequence('oldLogprobs'),
    referenceLogprobsN: record.referenceDigest === null ? null : perSequence('referenceLogprobs'),
    numbers: record.numbers,
    refreshReference: record.refreshReference,
    digestAfter: record.digestAfter,
  };
}

function supervisedArraysOf(batch: DecodedRecord<SupervisedBatchRecord>): SupervisedArrays {
  const { objective, packing, numbers, digestAfter } = batch.record;
  return {
    objective,
    promptsN: split(batch.ints('promptTokens'), batch.ints('promptLengths')),
    completionsN: split(batch.ints('completionTokens'), batch.ints('completionLengths')),
    lossWeightsN: batch.floats('lossWeights'),
    labelsN: objective === 'pointwise' ? batch.floats('labels') : null,
    packing,
    numbers,
    digestAfter,
  };
}

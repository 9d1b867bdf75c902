import { policyAfter } from '../../algorithm/run/policy-id.ts';
import { Failure } from '../../contracts/failures.ts';
import type { Reference } from '../../contracts/reference.ts';
import { CONTRACT_VERSION, type TrainStepInput, type TrainStepResult } from '../../contracts/training.ts';
import type { TrainArrays, Trained } from '../../engine/service/service-arrays.ts';
import type { SupervisedArrays } from '../../engine/train/supervised-step.ts';
import type { DecodedRecord } from '../../stores/objects/records.ts';
import { split } from '../ragged.ts';
import { type LoggedBatchRecord, readLoggedBatch } from '../records/logged-batch.ts';
import { type HeldPolicy, policyOf, refuseOtherStep, type TrainerContext } from './held-policy.ts';

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
    refuseUnused(batch, input.batch);
    refuseOtherStart(held, batch.record, input.acrossSeam);
    const trained = await train(context, batch);
    const result: TrainStepResult = {
      version: CONTRACT_VERSION,
      step: input.expectedStep + 1,
      policy: policyAfter(held.policy, input.batch.sha256),
      digestBefore: held.digest,
      digestAfter: trained.digestAfter,
      fingerprintAfter: null,
      referenceDigest: trained.referenceDigest,
      metrics: trained.metrics,
      numerics: held.numerics,
      seconds: (performance.now() - started) / 1000,
    };
    held.step = result.step;
    held.policy = result.policy;
    held.digest = trained.digestAfter;
    held.referenceDigest = trained.referenceDigest;
    held.last = { batch: input.batch, result };
    context.failpoints.reached('trained', result.step);
    return result;
  });
}

type Logged = LoggedBatchRecord;
type Supervised = Extract<Logged, { kind: 'supervised-batch' }>;
type Reinforced = Extract<Logged, { kind: 'batch' }>;

/** The batch's record decides which objective it is trained with. */
function train({ engine }: TrainerContext, batch: DecodedRecord<Logged>): Promise<Trained> {
  return isSupervised(batch)
    ? engine.call('trainSupervised', supervisedArraysOf(batch))
    : engine.call('train', arraysOf(batch as DecodedRecord<Reinforced>));
}

const isSupervised = (batch: DecodedRecord<Logged>): batch is DecodedRecord<Supervised> =>
  batch.record.kind === 'supervised-batch';

/** Optional tensors of a batch that this engine does not train with. */
const UNUSED = ['tokenWeights', 'teacherLogprobs', 'routedExperts'];

/** To ignore a tensor would train something else than what was logged. */
function refuseUnused({ tensors }: DecodedRecord<Logged>, { uri }: Reference): void {
  const found = UNUSED.filter((name) => tensors.has(name));
  if (found.length === 0) return;
  throw new Failure(
    'InvalidInput',
    `${uri}: expected a batch without ${UNUSED.join(', ')}, which this engine does not train with, found ${found.join(', ')}: ` +
      'use a worker that does',
  );
}

/**
 * The batch names the policy, the weights and the reference that it starts from; all that are known must match (rule 9).
 * Under other numerics the same policy has other bits.
 */
function refuseOtherStart(held: HeldPolicy, record: Logged, acrossSeam: boolean): void {
  const { key, digestBefore, policyBefore } = record;
  const referenceDigest = record.kind === 'batch' ? record.referenceDigest : null;
  const digests = [
    ['weights with digest', digestBefore, held.digest],
    ['a reference with digest', referenceDigest, held.referenceDigest],
  ] as const;
  for (const [what, expected, found] of [
    ['the policy', policyBefore, held.policy] as const,
    ...(acrossSeam ? [] : digests),
  ]) {
    if (expected === null || found === null || expected === found) continue;
    throw new Failure(
      'Contradiction',
      `step ${key.step}: the batch expects ${what} ${expected}, the trainer holds ${found}`,
    );
  }
}

/** A digest answers a request for a fingerprint too: at this engine's sizes SHA-256 is as cheap. */
const asksForDigest = ({ checkAfter }: Logged) => checkAfter !== 'none';

function arraysOf(batch: DecodedRecord<Reinforced>): TrainArrays {
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
    digestAfter: asksForDigest(record),
  };
}

function supervisedArraysOf(batch: DecodedRecord<Supervised>): SupervisedArrays {
  const { objective, packing, numbers } = batch.record;
  return {
    objective,
    promptsN: split(batch.ints('promptTokens'), batch.ints('promptLengths')),
    completionsN: split(batch.ints('completionTokens'), batch.ints('completionLengths')),
    lossWeightsN: batch.floats('lossWeights'),
    labelsN: objective === 'pointwise' ? batch.floats('labels') : null,
    packing,
    numbers,
    digestAfter: asksForDigest(batch.record),
  };
}

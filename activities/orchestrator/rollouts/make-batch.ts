import { rolloutHealth } from '../../../algorithm/rl/rollout-health.ts';
import { rolloutOfStep } from '../../../algorithm/rl/rollout-plan.ts';
import { type StepBatch, stepBatch } from '../../../algorithm/rl/step-batch.ts';
import { milestonesAt } from '../../../algorithm/run/milestones.ts';
import type { MakeBatchInput, MakeBatchResult } from '../../../contracts/activities.ts';
import { Failure } from '../../../contracts/failures.ts';
import type { ReinforcementPlan } from '../../../contracts/plan.ts';
import type {
  BatchRecord,
  LogprobsRecord,
  RolloutRecord,
  SampleRequest,
} from '../../../contracts/records.ts';
import { keys } from '../../../stores/objects/keys.ts';
import { type DecodedRecord, putRecord, type Tensors } from '../../../stores/objects/records.ts';
import { listChanges } from '../../../stores/runs/changes.ts';
import { verifierChangeAt } from '../../../stores/runs/version-changes.ts';
import { commitBatch, findBatch } from '../../../stores/steps/batches.ts';
import type { WatchedStores } from '../../dependencies.ts';
import { planOf, reinforcementPlanOf } from '../../plan-of.ts';
import { floats, ints, joinFloats, sequenceTensors, split } from '../../ragged.ts';
import { readLogprobs, readRollout, readSampleRequest, readScores, versionsOf } from '../../records.ts';

/**
 * Makes the log record of one step and commits its row: from then on any trainer can replay the step (rule 2). Where the
 * row exists already, it is the result (rule 3).
 */
export async function makeBatch(
  { database, objects, failpoints }: WatchedStores,
  input: MakeBatchInput,
): Promise<MakeBatchResult> {
  const { key, hand } = input;
  const committed = await findBatch(database, key);
  if (committed !== null) return committed.result;
  const plan = await planOf(database, key.run);
  const { options } = reinforcementPlanOf(plan, key.stage);
  const [request, rollout, scores, logprobs, changes] = await Promise.all([
    readSampleRequest(objects, hand.request),
    readRollout(objects, hand.rollout),
    readScores(objects, hand.scores),
    hand.logprobs === null ? null : readLogprobs(objects, hand.logprobs),
    listChanges(database, key),
  ]);
  refuseForeignPolicy(input, rollout.record);
  const made = stepBatch({
    runSeed: BigInt(plan.seed),
    stage: key.stage,
    branch: hand.branch,
    step: key.step,
    options,
    changes,
    request: request.record,
    scores: scores.record,
    lengthsN: rollout.ints('completionLengths'),
    truncatedN: rollout.ints('truncated'),
  });
  const record = batchRecord(input, made, rollout.record, options);
  const tensors = batchTensors(made, record, request, rollout, logprobs);
  const batch = await putRecord(objects, keys.batch(key, input.term), record, tensors);
  failpoints.reached('batch-object', key.step);
  const { reward, accuracy, meanLength, dropped, tokens } = made.summary;
  const completions = made.sequencesB.length;
  const learningRate = made.numbers.learning_rate;
  const result = { batch, completions, tokens, dropped, reward, accuracy, meanLength, learningRate };
  const logged = await commitBatch(database, {
    key,
    term: input.term,
    batch,
    hand,
    record,
    summary: made.summary,
    health: rolloutHealth({
      request: request.record,
      scores: scores.record,
      truncatedN: rollout.ints('truncated'),
      generalDomains: plan.generalDomains,
    }),
    verifiers: versionsOf(scores.record),
    result,
    uses: promptUses(
      key.step === hand.firstStep ? request.record : null,
      made,
      request.record.numGenerations,
    ),
  });
  failpoints.reached('batch-row', key.step);
  const verifierChange = await verifierChangeAt(database, key);
  return verifierChange === null ? logged : { ...logged, verifierChange };
}

/** Where a step trains the policy that sampled, the rollout must come from exactly that policy (rule 9). */
function refuseForeignPolicy({ key, onPolicy, digestBefore }: MakeBatchInput, rollout: RolloutRecord): void {
  if (!onPolicy || digestBefore === null || rollout.policyDigest === digestBefore) return;
  throw new Failure(
    'Contradiction',
    `step ${key.step}: expected completions of the policy ${digestBefore}, found those of ${rollout.policyDigest}; sample again`,
  );
}

function batchRecord(
  { key, hand, digestBefore, referenceDigest, onPolicy }: MakeBatchInput,
  { numbers, drops }: StepBatch,
  { policyDigest }: RolloutRecord,
  options: ReinforcementPlan['options'],
): BatchRecord {
  const due = milestonesAt(key.step, options);
  const nextSamples = rolloutOfStep(key.step + 1, options).firstStep === key.step + 1;
  const refresh = due.refreshReference && referenceDigest !== null;
  return {
    kind: 'batch',
    key,
    rollout: hand.rollout,
    scores: hand.scores,
    logprobs: hand.logprobs,
    numbers,
    old: onPolicy ? 'own' : 'logged',
    policyDigest,
    digestBefore,
    referenceDigest,
    refreshReference: refresh ? { alpha: options.ref_model_mixup_alpha } : null,
    cursorBefore: hand.cursorBefore,
    cursorAfter: hand.cursorAfter,
    drops,
    // A rollout names the digest of its policy: the step before a rollout computes it.
    digestAfter: due.digest || nextSamples,
  };
}

function batchTensors(
  { sequencesB, advantagesB, lossWeightsB }: StepBatch,
  record: BatchRecord,
  request: DecodedRecord<SampleRequest>,
  rollout: DecodedRecord<RolloutRecord>,
  logprobs: DecodedRecord<LogprobsRecord> | null,
): Tensors {
  const lengthsN = rollout.ints('completionLengths');
  const promptsP = split(request.ints('promptTokens'), request.ints('promptLengths'));
  const completionsN = split(rollout.ints('completionTokens'), lengthsN);
  const promptsB = sequencesB.map((n) => promptsP[Math.floor(n / request.record.numGenerations)] ?? []);
  const completionsB = sequencesB.map((n) => completionsN[n] ?? []);
  const selected = (flatT: Float32Array) => {
    const partsN = split(flatT, lengthsN);
    return floats(joinFloats(sequencesB.map((n) => partsN[n] ?? [])));
  };
  const tensors: Tensors = new Map([
    ...sequenceTensors(promptsB, completionsB),
    ['advantages', floats(Float32Array.from(advantagesB))],
    ['lossWeights', floats(Float32Array.from(lossWeightsB))],
    ['sequences', ints(Int32Array.from(sequencesB))],
    ['samplerLogprobs', selected(rollout.floats('logprobs'))],
  ]);
  if (record.old === 'logged') tensors.set('oldLogprobs', selected(required(logprobs, record).floats('old')));
  if (record.referenceDigest !== null) {
    tensors.set('referenceLogprobs', selected(required(logprobs, record).floats('reference')));
  }
  return tensors;
}

function required<T>(logprobs: T | null, { key }: BatchRecord): T {
  if (logprobs !== null) return logprobs;
  throw new Failure(
    'Contradiction',
    `step ${key.step}: expected log-probabilities of its rollout, found none`,
  );
}

/** The prompts that a rollout issued, and whether each is trained on; recorded once, with its first batch. */
function promptUses(request: SampleRequest | null, { drops }: StepBatch, generations: number) {
  if (request === null) return [];
  const dropped = new Set(drops.map(({ sequence }) => sequence));
  return request.prompts.map(({ slot, prompt }, index) => ({
    slot,
    prompt,
    trained: Array.from({ length: generations }, (_, g) => index * generations + g).some(
      (n) => !dropped.has(n),
    ),
  }));
}

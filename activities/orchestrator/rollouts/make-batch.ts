import { rolloutHealth, thinkingOf } from '../../../algorithm/rl/rollout-health.ts';
import { rolloutOfStep } from '../../../algorithm/rl/rollout-plan.ts';
import { type StepBatch, stepBatch } from '../../../algorithm/rl/step-batch.ts';
import { milestonesAt, weightsCheckAt } from '../../../algorithm/run/milestones.ts';
import type { MakeBatchInput, MakeBatchResult } from '../../../contracts/activities.ts';
import { Failure } from '../../../contracts/failures.ts';
import type { Tensor } from '../../../contracts/format/dtypes.ts';
import { textColumn } from '../../../contracts/format/text-column.ts';
import type { ReinforcementPlan } from '../../../contracts/plan.ts';
import { type BatchRecord, RECORD_VERSION } from '../../../contracts/records/schemas.ts';
import { DROP_REASONS } from '../../../contracts/records/tensors.ts';
import type { CurrentRollout } from '../../../contracts/stage-state.ts';
import type { Database } from '../../../stores/database/database.ts';
import { keys } from '../../../stores/objects/keys.ts';
import { putRecord, type Tensors } from '../../../stores/objects/records.ts';
import { listChanges } from '../../../stores/runs/changes.ts';
import { verifierChangeAt } from '../../../stores/runs/version-changes.ts';
import { commitBatch, findBatch } from '../../../stores/steps/batches.ts';
import { policyBefore as policyOfStep } from '../../../stores/steps/policies.ts';
import type { WatchedStores } from '../../dependencies.ts';
import { planOf, reinforcementPlanOf } from '../../plan-of.ts';
import { floats, ints, joinInts, lengthsOf } from '../../ragged.ts';
import { openRollout, type RolloutView } from '../../records/rollout-view.ts';
import { versionsOf } from '../../records/scores.ts';
import { promptOf } from '../../rewards/reward-inputs.ts';
import { indexRollout } from './index-rollout.ts';

/**
 * Makes the log record of one step and commits its row: from then on any trainer can replay the step (rule 2). Where the
 * row exists already, it is the result (rule 3). The first batch of a rollout writes the rollout's index.
 */
export async function makeBatch(stores: WatchedStores, input: MakeBatchInput): Promise<MakeBatchResult> {
  const committed = await findBatch(stores.database, input.key);
  if (committed !== null) return committed.result;
  return await logBatch(stores, { ...input, hand: await indexed(stores, input) });
}

/** The rollout with its index, which is written where none is yet. */
async function indexed(
  stores: Pick<WatchedStores, 'objects'>,
  { hand, referenceDigest }: MakeBatchInput,
): Promise<CurrentRollout> {
  if (!('shards' in hand)) return hand;
  const { shards, groups, policy, ...position } = hand;
  const { firstStep } = position;
  return {
    ...position,
    ...(await indexRollout(stores, { firstStep, shards, groups, policy, referenceDigest })),
  };
}

type IndexedInput = MakeBatchInput & { hand: CurrentRollout };

async function logBatch(
  { database, objects, failpoints }: WatchedStores,
  input: IndexedInput,
): Promise<MakeBatchResult> {
  const { key, hand } = input;
  const plan = await planOf(database, key.run);
  const { options } = reinforcementPlanOf(plan, key.stage);
  const [rollout, changes] = await Promise.all([
    openRollout(objects, 'index' in hand ? { index: hand.index } : hand),
    listChanges(database, key),
  ]);
  refuseForeignPolicy(input, rollout);
  const { numGenerations, sampling, rewards, lengthsN, truncatedN } = rollout;
  const made = stepBatch({
    runSeed: BigInt(plan.seed),
    stage: key.stage,
    branch: hand.branch,
    step: key.step,
    options,
    changes,
    sampling,
    rewards,
    lengthsN,
    truncatedN,
  });
  const record = await batchRecord(database, input, made, rollout, options);
  const tensors = await batchTensors(made, record, rollout);
  const batch = await putRecord(objects, keys.batch(key), record, tensors);
  failpoints.reached('batch-object', key.step);
  const { reward, accuracy, meanLength, dropped, tokens } = made.summary;
  const completions = made.sequencesB.length;
  const learningRate = made.numbers.learning_rate;
  const index = 'index' in hand ? { index: hand.index } : {};
  const result = {
    batch,
    completions,
    tokens,
    dropped,
    reward,
    accuracy,
    meanLength,
    learningRate,
    ...index,
  };
  const logged = await commitBatch(database, {
    key,
    term: input.term,
    batch,
    hand,
    record,
    summary: made.summary,
    health: healthOf(rollout, plan.generalDomains),
    verifiers: versionsOf(rewards),
    result,
    uses: key.step === hand.firstStep ? promptUses(rollout, made, numGenerations) : [],
  });
  failpoints.reached('batch-row', key.step);
  const verifierChange = await verifierChangeAt(database, key);
  return verifierChange === null ? logged : { ...logged, verifierChange };
}

/** Where a step trains the policy that sampled, the rollout must come from exactly that policy (rule 9). */
function refuseForeignPolicy(
  { key, onPolicy, policyBefore, digestBefore }: MakeBatchInput,
  rollout: Pick<RolloutView, 'policy' | 'policyDigest'>,
): void {
  if (!onPolicy) return;
  const pairs = [
    [policyBefore ?? null, rollout.policy],
    [digestBefore, rollout.policyDigest],
  ] as const;
  for (const [expected, found] of pairs) {
    if (expected === null || found === null || expected === found) continue;
    throw new Failure(
      'Contradiction',
      `step ${key.step}: expected completions of the policy ${expected}, found those of ${found}; sample again`,
    );
  }
}

async function batchRecord(
  database: Database,
  { key, hand, policyBefore, digestBefore, referenceDigest, onPolicy }: IndexedInput,
  { numbers }: StepBatch,
  rollout: RolloutView,
  options: ReinforcementPlan['options'],
): Promise<BatchRecord> {
  const due = milestonesAt(key.step, options);
  const nextSamples = rolloutOfStep(key.step + 1, options).firstStep === key.step + 1;
  const refresh = due.refreshReference && referenceDigest !== null;
  const before = policyBefore ?? (await policyOfStep(database, key));
  return {
    kind: 'batch',
    version: RECORD_VERSION,
    key,
    rollout: 'index' in hand ? hand.index : hand.rollout,
    numbers,
    old: onPolicy ? 'own' : 'logged',
    policy: rollout.policy ?? (await policyOfStep(database, { ...key, step: hand.firstStep })),
    policyDigest: rollout.policyDigest,
    policyBefore: before,
    digestBefore,
    referenceDigest,
    samplerNumerics: rollout.numerics,
    refreshReference: refresh ? { alpha: options.ref_model_mixup_alpha } : null,
    cursorBefore: hand.cursorBefore,
    cursorAfter: hand.cursorAfter,
    checkAfter: weightsCheckAt(key.step, options, nextSamples),
  };
}

async function batchTensors(
  { sequencesB, advantagesB, lossWeightsB, drops }: StepBatch,
  record: BatchRecord,
  rollout: RolloutView,
): Promise<Tensors> {
  const sequences = await rollout.read(sequencesB, {
    old: record.old === 'logged',
    reference: record.referenceDigest !== null,
  });
  const { promptsB, lengthsB, completionsT, samplerLogprobsT, oldLogprobsT, referenceLogprobsT } = sequences;
  const reasons = Uint8Array.from(drops, ({ reason }) => DROP_REASONS.indexOf(reason));
  const tensors: Tensors = new Map<string, Tensor>([
    ['promptTokens', ints(joinInts(promptsB))],
    ['promptLengths', ints(lengthsOf(promptsB))],
    ['completionTokens', ints(completionsT)],
    ['completionLengths', ints(lengthsB)],
    ['advantages', floats(Float32Array.from(advantagesB))],
    ['lossWeights', floats(Float32Array.from(lossWeightsB))],
    ['sequences', ints(Int32Array.from(sequencesB))],
    ['samplerLogprobs', floats(samplerLogprobsT)],
    ['dropSequences', ints(Int32Array.from(drops, ({ sequence }) => sequence))],
    ['dropReasons', { dtype: 'U8', shape: [reasons.length], data: reasons }],
    ...textColumn(
      'dropMessages',
      drops.map(({ message }) => message),
    ),
  ]);
  if (oldLogprobsT !== null) tensors.set('oldLogprobs', floats(oldLogprobsT));
  if (referenceLogprobsT !== null) tensors.set('referenceLogprobs', floats(referenceLogprobsT));
  return tensors;
}

/** Of a rollout of version 1 it is computed here, from its texts. */
function healthOf({ health, whole, rewards, truncatedN }: RolloutView, generalDomains: readonly string[]) {
  if (health !== null || whole === null) return health;
  const { request, scores } = whole;
  const thinkingN = scores.texts.map((text, n) =>
    thinkingOf(text, promptOf(request, n).domain, generalDomains),
  );
  return rolloutHealth({ thinkingN, truncatedN, rewards });
}

/** The prompts that a rollout issued, and whether each is trained on; recorded once, with its first batch. */
function promptUses({ groupsQ }: RolloutView, { drops }: StepBatch, generations: number) {
  const dropped = new Set(drops.map(({ sequence }) => sequence));
  return groupsQ.map(({ slot, prompt }, index) => ({
    slot,
    prompt,
    trained: Array.from({ length: generations }, (_, g) => index * generations + g).some(
      (n) => !dropped.has(n),
    ),
  }));
}

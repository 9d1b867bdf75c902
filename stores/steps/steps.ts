import { z } from 'zod';
import { policyAfter } from '../../algorithm/run/policy-id.ts';
import type { RecordStepInput } from '../../contracts/activities.ts';
import type { AlarmRule } from '../../contracts/alarms.ts';
import { type StepDocument, stepDocument } from '../../contracts/documents.ts';
import { Failure } from '../../contracts/failures.ts';
import type { StepKey } from '../../contracts/identity.ts';
import { type Reference, sha256Schema } from '../../contracts/reference.ts';
import { fingerprintSchema } from '../../contracts/training.ts';
import type { Database, Queryable, Transaction } from '../database/database.ts';
import { insertRow, readRow, readRows } from '../database/rows.ts';
import { watchStep } from '../runs/alarms.ts';
import { branchName, branchValues, rowsOfBranch } from '../runs/branches.ts';
import { assertCurrentTerm } from '../runs/terms.ts';
import { type CommittedBatch, findBatch } from './batches.ts';
import { policyBefore } from './policies.ts';

export interface NewStep extends Omit<RecordStepInput, 'startedAt'> {
  /** wall time of the step outside sampling, scoring, log-probabilities and training */
  secondsOther: number;
  /** the alarms that it may raise */
  alarms: readonly AlarmRule[];
}

/** What is equal in two records of the same step, whichever trainer made them. */
const stepIdentitySchema = z.object({
  batch: sha256Schema,
  digestBefore: sha256Schema.nullable(),
  digestAfter: sha256Schema.nullable(),
  fingerprintAfter: fingerprintSchema.nullable(),
  referenceDigest: sha256Schema.nullable(),
});
type StepIdentity = z.infer<typeof stepIdentitySchema>;

/**
 * Commits a step's result, and the alarms that it raises. Recording the same step again is not an error: its first record
 * stays.
 * @throws Failure 'SupersededTerm'; 'Contradiction' where another result of the step is recorded, its batch is not
 * the committed one, or it does not start from the weights that the step before it left.
 */
export async function recordStep(database: Database, step: NewStep): Promise<void> {
  const { key, term } = step;
  await database.transaction(async (tx) => {
    await assertCurrentTerm(tx, { run: key.run, stage: key.stage, branch: key.branch, term });
    const batch = await findBatch(tx, key);
    refuseOtherBatch(step, batch);
    const recorded = await findStep(tx, key);
    if (recorded !== undefined) return refuseOtherStep(key, recorded, identityOf(step));
    await refuseBrokenChain(tx, step);
    await insertStep(tx, step, await refuseOtherPolicy(tx, step));
    await watchStep(tx, key, step.alarms);
  });
}

const identityOf = ({ batch, result }: NewStep): StepIdentity => ({
  batch: batch.sha256,
  digestBefore: result.digestBefore,
  digestAfter: result.digestAfter,
  // Activities that a workflow of the first release scheduled have none.
  fingerprintAfter: result.fingerprintAfter ?? null,
  referenceDigest: result.referenceDigest,
});

function refuseOtherBatch({ key, batch, result }: NewStep, committed: CommittedBatch | null): void {
  if (committed?.batch.sha256 === batch.sha256 && result.step === key.step) return;
  const expected = committed ? referenceText(committed.batch) : 'a committed batch';
  throw new Failure(
    committed ? 'Contradiction' : 'HistoryAhead',
    `${branchName(key)} step ${key.step}: expected it to have trained ${expected}, ` +
      `found ${referenceText(batch)} trained as step ${result.step}. Nothing was written.`,
  );
}

const referenceText = ({ uri, sha256 }: Reference) => `${uri} (sha256 ${sha256})`;

async function findStep(tx: Transaction, key: StepKey): Promise<StepIdentity | undefined> {
  return readRow(
    tx,
    'steps and batches',
    stepIdentitySchema,
    `SELECT b.batch ->> 'sha256' AS batch, s.digest_before AS "digestBefore", s.digest_after AS "digestAfter",
       s.fingerprint_after AS "fingerprintAfter", s.reference_digest AS "referenceDigest"
     FROM steps s JOIN batches b USING (run, stage, branch, step)
     WHERE s.run = $1 AND s.stage = $2 AND s.branch = $3 AND s.step = $4`,
    [...branchValues(key), key.step],
  );
}

/** Null on either side: that attempt did not compute it, which contradicts nothing. */
function refuseOtherStep(key: StepKey, recorded: StepIdentity, found: StepIdentity): void {
  const names = ['batch', 'digestBefore', 'digestAfter', 'fingerprintAfter', 'referenceDigest'] as const;
  const differing = names.filter(
    (name) => recorded[name] !== null && found[name] !== null && recorded[name] !== found[name],
  );
  if (differing.length === 0) return;
  const both = differing.map((name) => `${name} ${recorded[name]}, found ${found[name]}`).join('; ');
  throw new Failure(
    'Contradiction',
    `${branchName(key)} step ${key.step} is recorded otherwise: expected ${both}. Nothing was written. ` +
      'Trainers under equal numerics give equal digests: compare theirs, or resume from a checkpoint.',
  );
}

/** A step starts from the weights that the step before it left, except across a change of numerics. */
async function refuseBrokenChain(tx: Transaction, { key, result, seam }: NewStep): Promise<void> {
  if (seam || result.digestBefore === null) return;
  const before = await digestAfter(tx, { ...key, step: key.step - 1 });
  if (before === null || before === result.digestBefore) return;
  throw new Failure(
    'Contradiction',
    `${branchName(key)} step ${key.step}: expected it to start from the weights ${before} that step ${key.step - 1} left, ` +
      `found that it started from ${result.digestBefore}. Nothing was written; acquire a trainer again.`,
  );
}

/**
 * The policy after the step, by the logged batches. Throws Failure 'Contradiction' where the trainer answered with
 * another: it trained something else.
 */
async function refuseOtherPolicy(tx: Transaction, { key, batch, result }: NewStep): Promise<string> {
  const expected = policyAfter(await policyBefore(tx, key), batch.sha256);
  // Unknown where a trainer of the first release answered.
  const found = result.policy ?? expected;
  if (found === expected) return expected;
  throw new Failure(
    'Contradiction',
    `${branchName(key)} step ${key.step}: expected the policy ${expected} after it, found that the trainer holds ${found}. ` +
      'Nothing was written; look at the worker.',
  );
}

/** The weights' digest after a step, 0 for what the stage started from; null where it was not logged. */
async function digestAfter(reader: Queryable, key: StepKey): Promise<string | null> {
  const sql =
    key.step === 0
      ? `SELECT initial_digests ->> 'weights' AS digest FROM stages WHERE run = $1 AND stage = $2 AND $3 >= $4`
      : `SELECT r.digest_after AS digest ${rowsOfBranch('steps')} WHERE r.step = $4`;
  const row = await readRow(reader, 'steps', z.object({ digest: sha256Schema.nullable() }), sql, [
    ...branchValues(key),
    key.step,
  ]);
  return row?.digest ?? null;
}

async function insertStep(
  tx: Transaction,
  { key, term, result, spent, secondsOther, seam }: NewStep,
  policy: string,
): Promise<void> {
  const { metrics } = result;
  await insertRow(tx, 'steps', {
    run: key.run,
    stage: key.stage,
    branch: key.branch,
    step: key.step,
    term,
    digest_before: result.digestBefore,
    digest_after: result.digestAfter,
    policy_after: policy,
    fingerprint_after: result.fingerprintAfter,
    reference_digest: result.referenceDigest,
    loss: metrics.loss,
    grad_norm: metrics.gradNorm,
    entropy: metrics.entropy,
    kl: metrics.kl,
    clip_fraction: metrics.clipFraction,
    sampler_gap: metrics.samplerGap,
    tokens_trained: metrics.tokensTrained,
    tokens_sampled: spent.tokensSampled,
    numerics: result.numerics,
    seam,
    seconds_sampling: spent.sampling,
    seconds_scoring: spent.scoring,
    seconds_logprobs: spent.logprobs,
    seconds_training: result.seconds,
    seconds_other: secondsOther,
    model_accuracy: metrics.accuracy,
  });
}

const LINES = {
  /** each stage's current branch, ancestors' steps included */
  current: 'lineage(st.run, st.stage, st.branch)',
  /** every branch separately */
  all: `(SELECT branch AS ancestor, 2147483647 AS up_to FROM branches b WHERE b.run = st.run AND b.stage = st.stage)`,
} as const;

export interface StepFilter {
  /** null: all stages */
  stage?: string | null;
  branches?: keyof typeof LINES;
  /** only later steps than this one */
  after?: number;
}

/**
 * The recorded steps of a run, in the order of stages, branches and steps. `branches`: those of each stage's current
 * branch with its ancestors, or every branch separately.
 */
export async function listSteps(
  reader: Queryable,
  run: string,
  { stage = null, branches = 'current', after = 0 }: StepFilter = {},
): Promise<StepDocument[]> {
  return readRows(
    reader,
    'steps and batches',
    stepDocument,
    `SELECT s.stage, s.branch, s.step, s.digest_before AS "digestBefore", s.digest_after AS "digestAfter", b.batch,
       s.loss, b.learning_rate AS "learningRate", s.grad_norm AS "gradNorm", s.entropy, s.kl,
       s.clip_fraction AS "clipFraction", s.sampler_gap AS "samplerGap", b.reward, b.rewards,
       coalesce(b.accuracy, s.model_accuracy) AS accuracy,
       b.mean_length AS "meanLength", b.zero_variance_share AS "zeroVarianceShare", b.dropped,
       s.tokens_sampled AS "tokensSampled", s.tokens_trained AS "tokensTrained",
       s.seconds_sampling AS "secondsSampling", s.seconds_scoring AS "secondsScoring",
       s.seconds_training + s.seconds_logprobs AS "secondsTraining", s.seconds_other AS "secondsOther", s.seam
     FROM stages st
     CROSS JOIN LATERAL ${LINES[branches]} l
     JOIN steps s ON s.run = st.run AND s.stage = st.stage AND s.branch = l.ancestor AND s.step <= l.up_to
     JOIN batches b ON b.run = s.run AND b.stage = s.stage AND b.branch = s.branch AND b.step = s.step
     WHERE st.run = $1 AND ($2::text IS NULL OR st.stage = $2) AND s.step > $3
     ORDER BY st.position, s.branch, s.step`,
    [run, stage, after],
  );
}

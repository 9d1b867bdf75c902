import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import type { RolloutHealth } from '../../algorithm/rl/rollout-health.ts';
import { numbersInForce, supervisedNumbersInForce } from '../../algorithm/rl/schedules.ts';
import type { BatchSummary } from '../../algorithm/rl/step-batch.ts';
import type { MakeBatchResult, VerifierVersions } from '../../contracts/activities.ts';
import { figure } from '../../contracts/bounds.ts';
import { Failure } from '../../contracts/failures.ts';
import type { StepKey } from '../../contracts/identity.ts';
import type { Change } from '../../contracts/options.ts';
import type { StagePlan } from '../../contracts/plan.ts';
import type { BatchRecord, SupervisedBatchRecord } from '../../contracts/records/schemas.ts';
import { type Reference, referenceSchema, sha256Schema } from '../../contracts/reference.ts';
import type { CurrentRollout } from '../../contracts/stage-state.ts';
import type { Database, Queryable, Transaction } from '../database/database.ts';
import { insertRow, insertRows, json, readRow } from '../database/rows.ts';
import { branchName, branchValues, lastStep } from '../runs/branches.ts';
import { listChanges } from '../runs/changes.ts';
import { readStagePlan } from '../runs/runs.ts';
import { assertCurrentTerm } from '../runs/terms.ts';
import { policyBefore } from './policies.ts';

/** A prompt that a rollout issued. */
interface PromptUse {
  slot: number;
  /** the prompt's hash */
  prompt: string;
  /** false: sampled, and then filtered or dropped */
  trained: boolean;
}

/** Figures of a batch; a supervised step has neither rewards nor groups. */
type LoggedSummary = Pick<BatchSummary, 'accuracy' | 'meanLength' | 'dropped'> & {
  [Name in 'reward' | 'rewards' | 'zeroVarianceShare']: BatchSummary[Name] | null;
};

export interface NewBatch {
  key: StepKey;
  term: number;
  batch: Reference;
  /** the rollout that it was cut from; null for a supervised step */
  hand: CurrentRollout | null;
  record: BatchRecord | SupervisedBatchRecord;
  summary: LoggedSummary;
  /** of its rollout; null for a supervised step */
  health: RolloutHealth | null;
  result: MakeBatchResult;
  /** reward → version of the verifier that judged; null for a supervised step */
  verifiers: VerifierVersions | null;
  /** all prompts of the rollout, with its first batch; none with the others */
  uses: PromptUse[];
}

export interface CommittedBatch {
  batch: Reference;
  term: number;
  digestBefore: string | null;
  /** what `make-batch` returned, and returns again */
  result: MakeBatchResult;
}

/**
 * Commits the log record of the branch's next step, and with a rollout's first batch the prompts that it
 * issued. Committing the same batch again is not an error.
 * @throws Failure 'SupersededTerm'; 'Contradiction' where the step has another batch; 'HistoryAhead' where
 * the step before it has no row; 'Unavailable' where a live change came in between: make the batch again.
 */
export async function commitBatch(database: Database, batch: NewBatch): Promise<MakeBatchResult> {
  const { key, term } = batch;
  return database.transaction(async (tx) => {
    await assertCurrentTerm(tx, { run: key.run, stage: key.stage, branch: key.branch, term });
    const committed = await findBatch(tx, key);
    if (committed !== null) return sameBatch(committed, batch);
    await refuseOutOfTurn(tx, key);
    await refuseOtherNumbers(tx, batch);
    await refuseOtherPolicy(tx, batch);
    await insertBatch(tx, batch);
    await insertUses(tx, batch);
    return batch.result;
  });
}

const batchRowSchema = z.object({
  batch: referenceSchema,
  term: z.int(),
  digestBefore: sha256Schema.nullable(),
  completions: z.int(),
  tokens: z.int(),
  dropped: z.int(),
  reward: figure.nullable(),
  accuracy: figure.nullable(),
  meanLength: figure,
  learningRate: figure,
  index: referenceSchema.nullable(),
});

/** The committed batch of a step of this very branch; null where there is none. */
export async function findBatch(reader: Queryable, key: StepKey): Promise<CommittedBatch | null> {
  const row = await readRow(
    reader,
    'batches',
    batchRowSchema,
    `SELECT batch, term, digest_before AS "digestBefore", completions, tokens, dropped, reward, accuracy,
       mean_length AS "meanLength", learning_rate AS "learningRate", hand -> 'index' AS index
     FROM batches WHERE run = $1 AND stage = $2 AND branch = $3 AND step = $4`,
    [...branchValues(key), key.step],
  );
  if (row === undefined) return null;
  const { term, digestBefore, index, ...figures } = row;
  const result = { ...figures, ...(index === null ? {} : { index }) };
  return { batch: row.batch, term, digestBefore, result };
}

function sameBatch(committed: CommittedBatch, { key, term, batch }: NewBatch): MakeBatchResult {
  if (committed.batch.sha256 === batch.sha256) return committed.result;
  throw new Failure(
    'Contradiction',
    `batch of ${branchName(key)} step ${key.step}: expected ${committed.batch.uri} (sha256 ${committed.batch.sha256}), ` +
      `committed under term ${committed.term}; found ${batch.uri} (sha256 ${batch.sha256}) under term ${term}. ` +
      'Nothing was written; the committed one is what the step trains on.',
  );
}

/** Batches are logged one step at a time, each after the step before it is recorded. */
async function refuseOutOfTurn(tx: Transaction, key: StepKey): Promise<void> {
  const last = await lastStep(tx, key);
  if (key.step === last + 1) return;
  throw new Failure(
    key.step > last ? 'HistoryAhead' : 'Contradiction',
    `${branchName(key)}: expected the batch of step ${last + 1}, as the rows end at step ${last}; ` +
      `found one of step ${key.step}. Nothing was written; were the rows restored from an older backup?`,
  );
}

/** A step starts from the policy that the logged batches before it give (rule 9). */
async function refuseOtherPolicy(tx: Transaction, { key, record }: NewBatch): Promise<void> {
  const expected = await policyBefore(tx, key);
  if (record.policyBefore === expected) return;
  throw new Failure(
    'Contradiction',
    `batch of ${branchName(key)} step ${key.step}: expected it to start from the policy ${expected}, ` +
      `found ${record.policyBefore}. Nothing was written; acquire a trainer again.`,
  );
}

/**
 * The numbers in a batch must be those of the committed list of changes (rule 7). The branch is locked: the list cannot
 * grow between this check and the commit. The temperature is that of the rollout.
 */
async function refuseOtherNumbers(tx: Transaction, { key, record }: NewBatch): Promise<void> {
  const plan = await readStagePlan(tx, key);
  const expected = expectedNumbers(key.step, plan, await listChanges(tx, key), record);
  if (isDeepStrictEqual(expected, { ...record.numbers })) return;
  throw new Failure(
    'Unavailable',
    `batch of ${branchName(key)} step ${key.step}: expected the numbers ${json(expected)}, found ${json(record.numbers)}: ` +
      'a live change was committed while the batch was being made. It is made again.',
  );
}

function expectedNumbers(
  step: number,
  plan: StagePlan,
  changes: readonly Change[],
  record: NewBatch['record'],
): Record<string, unknown> {
  if (plan.algorithm !== 'grpo') return { ...supervisedNumbersInForce(step, plan.options, changes) };
  const { temperature } = { temperature: 1, ...record.numbers };
  return { ...numbersInForce(step, plan.options, changes), temperature };
}

async function insertBatch(
  tx: Transaction,
  { key, term, batch, hand, record, summary, health, verifiers, result }: NewBatch,
): Promise<void> {
  await insertRow(tx, 'batches', {
    run: key.run,
    stage: key.stage,
    branch: key.branch,
    step: key.step,
    batch,
    term,
    hand,
    digest_before: record.digestBefore,
    policy_before: record.policyBefore,
    cursor_after: record.cursorAfter,
    completions: result.completions,
    tokens: result.tokens,
    learning_rate: result.learningRate,
    reward: summary.reward,
    rewards: summary.rewards,
    accuracy: summary.accuracy,
    mean_length: summary.meanLength,
    zero_variance_share: summary.zeroVarianceShare,
    dropped: summary.dropped,
    truncated_share: health?.truncatedShare,
    empty_thinking_share: health?.emptyThinkingShare,
    error_share: health?.errorShare,
    verifiers,
  });
}

async function insertUses(tx: Transaction, { key, hand, uses }: NewBatch): Promise<void> {
  if (hand === null) return;
  const { run, stage, branch } = key;
  const rows = uses.map(({ slot, prompt, trained }) => ({ slot, prompt, trained }));
  await insertRows(tx, 'prompt_uses', { run, stage, branch, first_step: hand.firstStep }, rows);
}

import { isDeepStrictEqual } from 'node:util';
import type { RolloutHealth } from '../../algorithm/rl/rollout-health.ts';
import { numbersInForce, supervisedNumbersInForce } from '../../algorithm/rl/schedules.ts';
import type { BatchSummary } from '../../algorithm/rl/step-batch.ts';
import type { MakeBatchResult, VerifierVersions } from '../../contracts/activities.ts';
import { Failure } from '../../contracts/failures.ts';
import type { StepKey } from '../../contracts/identity.ts';
import type { Change } from '../../contracts/options.ts';
import type { RunPlan, StagePlan } from '../../contracts/plan.ts';
import type { BatchRecord, SupervisedBatchRecord } from '../../contracts/records.ts';
import type { Reference } from '../../contracts/reference.ts';
import type { CurrentRollout } from '../../contracts/stage-state.ts';
import type { Database, Queryable, Transaction } from '../database/database.ts';
import { json } from '../database/json.ts';
import { branchName } from '../runs/branches.ts';
import { listChanges } from '../runs/changes.ts';
import { branchValues, lastStep } from '../runs/lineage.ts';
import { assertCurrentTerm } from '../runs/terms.ts';

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
  /** null for a supervised step */
  hand: CurrentRollout | null;
  record: BatchRecord | SupervisedBatchRecord;
  summary: LoggedSummary;
  /** what its rollout shows; null for a supervised step */
  signs: RolloutHealth | null;
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
  /** what `make-batch` answered, and answers again */
  result: MakeBatchResult;
}

/**
 * Commits the log record of the branch's next step, and with a rollout's first batch the prompts that it
 * issued. The same batch committed again is no error.
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
    await insertBatch(tx, batch);
    await insertUses(tx, batch);
    return batch.result;
  });
}

interface BatchRow extends Omit<MakeBatchResult, 'batch'> {
  batch: Reference;
  term: number;
  digestBefore: string | null;
}

/** The committed batch of a step of this very branch; null where there is none. */
export async function findBatch(reader: Queryable, key: StepKey): Promise<CommittedBatch | null> {
  const [row] = await reader.query<BatchRow>(
    `SELECT batch, term, digest_before AS "digestBefore", completions, tokens, dropped, reward, accuracy,
       mean_length AS "meanLength", learning_rate AS "learningRate"
     FROM batches WHERE run = $1 AND stage = $2 AND branch = $3 AND step = $4`,
    [...branchValues(key), key.step],
  );
  if (row === undefined) return null;
  const { term, digestBefore, ...result } = row;
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

/**
 * The numbers in a batch must be those of the committed list of changes (rule 7). The branch is locked, so
 * the list cannot grow between this look and the commit. The temperature is the rollout's own.
 */
async function refuseOtherNumbers(tx: Transaction, { key, record }: NewBatch): Promise<void> {
  const [run] = await tx.query<{ plan: RunPlan }>('SELECT plan FROM runs WHERE run = $1', [key.run]);
  const plan = run?.plan.stages.find(({ stage }) => stage === key.stage);
  if (plan === undefined)
    throw new Failure('InvalidInput', `run "${key.run}" has no plan of a stage "${key.stage}"`);
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
  { key, term, batch, hand, record, summary, signs, verifiers, result }: NewBatch,
): Promise<void> {
  await tx.query(
    `INSERT INTO batches (run, stage, branch, step, batch, term, hand, digest_before, cursor_after, completions,
       tokens, learning_rate, reward, rewards, accuracy, mean_length, zero_variance_share, dropped,
       truncated_share, empty_thinking_share, error_share, verifiers)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)`,
    [
      ...branchValues(key),
      key.step,
      json(batch),
      term,
      hand && json(hand),
      record.digestBefore,
      json(record.cursorAfter),
      result.completions,
      result.tokens,
      result.learningRate,
      summary.reward,
      summary.rewards && json(summary.rewards),
      summary.accuracy,
      summary.meanLength,
      summary.zeroVarianceShare,
      summary.dropped,
      signs?.truncatedShare ?? null,
      signs?.emptyThinkingShare ?? null,
      signs?.errorShare ?? null,
      verifiers && json(verifiers),
    ],
  );
}

async function insertUses(tx: Transaction, { key, hand, uses }: NewBatch): Promise<void> {
  if (hand === null) return;
  await tx.query(
    `INSERT INTO prompt_uses (run, stage, branch, first_step, slot, prompt, trained)
     SELECT $1, $2, $3, $4, u.* FROM unnest($5::integer[], $6::text[], $7::boolean[]) AS u`,
    [
      ...branchValues(key),
      hand.firstStep,
      uses.map(({ slot }) => slot),
      uses.map(({ prompt }) => prompt),
      uses.map(({ trained }) => trained),
    ],
  );
}

import { rolloutHealth, type Thinking } from '../../../algorithm/rl/rollout-health.ts';
import { Failure } from '../../../contracts/failures.ts';
import type { Tensor } from '../../../contracts/format/dtypes.ts';
import {
  type JudgedReward,
  RECORD_VERSION,
  type RolloutIndexRecord,
  type SampleRequest,
  type Shard,
  type Verdict,
} from '../../../contracts/records/schemas.ts';
import type { Reference } from '../../../contracts/reference.ts';
import type { UnindexedRollout } from '../../../contracts/stage-state.ts';
import { keys } from '../../../stores/objects/keys.ts';
import type { ObjectStore } from '../../../stores/objects/objects.ts';
import { putRecord } from '../../../stores/objects/records.ts';
import type { Stores } from '../../dependencies.ts';
import { ints } from '../../ragged.ts';
import { readSampleRequest } from '../../records/request.ts';
import { readRollout } from '../../records/rollout.ts';
import { type DecodedScores, readScores, verdictColumns } from '../../records/scores.ts';
import { readShardHeader } from '../../records/shard-reader.ts';

/** Columns of the groups that are trained on; one entry a group (Q) or a completion (N). */
interface Columns {
  shardOfQ: number[];
  inShardQ: number[];
  slotsQ: number[];
  promptsQ: string[];
  lengthsN: number[];
  offsetsN: bigint[];
  truncatedN: number[];
  thinkingN: Thinking[];
  rewards: JudgedReward[];
}

/** What an index lists. */
export interface IndexInput extends Pick<UnindexedRollout, 'firstStep' | 'shards' | 'groups' | 'policy'> {
  referenceDigest: string | null;
}

type RolloutHeader = Pick<
  RolloutIndexRecord,
  'numGenerations' | 'shardSize' | 'sampling' | 'policy' | 'policyDigest' | 'numerics'
>;

/**
 * Writes the index of a rollout: its shards, and the columns that its batches are cut by. Scores are read one shard at a
 * time; completions are not read. Of the groups that are kept, at most `groups`, in the order in which they were sampled.
 * @throws Failure 'Contradiction' where a shard's records are not of one another, or of another policy (rule 9);
 * 'EmptyBatch' where dynamic sampling kept no group.
 */
export async function indexRollout(
  { objects }: Pick<Stores, 'objects'>,
  input: IndexInput,
): Promise<{ index: Reference }> {
  const columns: Columns = {
    ...{ shardOfQ: [], inShardQ: [], slotsQ: [], promptsQ: [], lengthsN: [], offsetsN: [] },
    ...{ truncatedN: [], thinkingN: [], rewards: [] },
  };
  let first: RolloutHeader | null = null;
  for (const [index, { keep, ...shard }] of input.shards.entries()) {
    const [{ request }, sampled, computed, scores] = await Promise.all([
      readSampleRequest(objects, shard.request),
      readShardHeader(objects, shard.rollout, 'rollout'),
      shard.logprobs === null ? null : readShardHeader(objects, shard.logprobs, 'logprobs'),
      readScores(objects, shard.scores),
    ]);
    const header = headerOf(shard, { request, sampled, computed }, input);
    first ??= header;
    await appendShard(objects, { shard, request, scores, index, keep, groups: input.groups }, columns);
  }
  const [firstShard] = input.shards;
  if (first === null || firstShard === undefined || columns.slotsQ.length === 0) {
    throw new Failure(
      'EmptyBatch',
      `step ${input.firstStep}: expected prompts neither all right nor all wrong, found none in ${input.shards.length} shards ` +
        '(dynamic_sampling_max_rounds); the data are too easy or too hard for this policy',
    );
  }
  const record: RolloutIndexRecord = {
    kind: 'rollout-index',
    version: RECORD_VERSION,
    ...first,
    numerics: { ...first.numerics, shardSize: first.shardSize },
    referenceDigest: input.referenceDigest,
    shards: input.shards.map(({ keep: _, ...shard }) => shard),
    rewards: columns.rewards.map(({ name, version }) => ({ name, version })),
    health: rolloutHealth(columns),
  };
  return {
    index: await putRecord(objects, keys.rolloutIndex(firstShard.request), record, tensorsOf(columns)),
  };
}

/** Headers of a shard's records. */
interface ShardHeaders {
  request: SampleRequest;
  sampled: Awaited<ReturnType<typeof readShardHeader<'rollout'>>>;
  computed: Awaited<ReturnType<typeof readShardHeader<'logprobs'>>> | null;
}

/** What the shard's completions have in common, after a check that its records are of one another. */
function headerOf(
  shard: Shard,
  { request, sampled, computed }: ShardHeaders,
  { policy, referenceDigest }: IndexInput,
): RolloutHeader {
  refuseOther(shard.rollout, 'the request', shard.request.sha256, sampled.request.sha256);
  refuseOther(shard.rollout, 'completions of the policy', policy, sampled.policy);
  if (shard.logprobs !== null && computed !== null) {
    refuseOther(
      shard.logprobs,
      'log-probabilities of the rollout',
      shard.rollout.sha256,
      computed.rollout.sha256,
    );
    refuseOther(shard.logprobs, 'log-probabilities by the policy', policy, computed.policy);
    refuseOther(
      shard.logprobs,
      'log-probabilities by the reference',
      referenceDigest,
      computed.referenceDigest,
    );
  }
  const { numGenerations, sampling } = request;
  const shardSize = request.prompts.length;
  const { policyDigest, numerics } = sampled;
  return { numGenerations, shardSize, sampling, policy, policyDigest, numerics };
}

function refuseOther({ uri }: Reference, what: string, expected: string | null, found: string | null): void {
  if (expected === found) return;
  throw new Failure(
    'Contradiction',
    `${uri}: expected ${what} ${expected}, found ${found}; sample the rollout again`,
  );
}

interface AppendedShard {
  shard: Shard;
  request: SampleRequest;
  scores: DecodedScores;
  index: number;
  keep: readonly number[] | null;
  groups: number;
}

async function appendShard(
  objects: ObjectStore,
  { shard, request, scores, index, keep, groups }: AppendedShard,
  columns: Columns,
): Promise<void> {
  refuseOther(shard.scores, 'scores of the rollout', shard.rollout.sha256, scores.rollout.sha256);
  const { lengthsN, truncatedN, thinkingN } =
    scores.columns ?? (await withoutThinking(objects, shard.rollout));
  const { numGenerations } = request;
  refuseOtherCount(shard.scores, request.seeds.length, lengthsN.length);
  const offsetsN = offsetsOf(lengthsN);
  const kept = (keep ?? request.prompts.map((_, group) => group)).slice(0, groups - columns.slotsQ.length);
  for (const group of kept) {
    const drawn = request.prompts[group];
    if (drawn === undefined) continue;
    columns.shardOfQ.push(index);
    columns.inShardQ.push(group);
    columns.slotsQ.push(drawn.slot);
    columns.promptsQ.push(drawn.prompt);
    for (let n = group * numGenerations; n < (group + 1) * numGenerations; n++) {
      columns.lengthsN.push(lengthsN[n] ?? 0);
      columns.offsetsN.push(BigInt(offsetsN[n] ?? 0));
      columns.truncatedN.push(truncatedN[n] ?? 0);
      columns.thinkingN.push(thinkingN[n] ?? 'none');
    }
  }
  const ofKept = (verdicts: readonly Verdict[]) =>
    kept.flatMap((group) => verdicts.slice(group * numGenerations, (group + 1) * numGenerations));
  appendRewards(shard.scores, scores.rewards, columns, ofKept, index === 0);
}

/** Every shard has verdicts of the same rewards. Where a verifier changed on the way, the later version is named. */
function appendRewards(
  scores: Reference,
  rewards: readonly JudgedReward[],
  columns: Columns,
  ofKept: (verdicts: readonly Verdict[]) => Verdict[],
  isFirst: boolean,
): void {
  if (isFirst) columns.rewards = rewards.map(({ name, version }) => ({ name, version, verdicts: [] }));
  const names = (of: readonly JudgedReward[]) => of.map(({ name }) => name).join(', ');
  refuseOther(scores, 'verdicts of the rewards', names(columns.rewards), names(rewards));
  for (const [k, { version, verdicts }] of rewards.entries()) {
    const column = columns.rewards[k];
    if (column === undefined) continue;
    column.version = Math.max(column.version, version);
    column.verdicts.push(...ofKept(verdicts));
  }
}

/** Scores of version 1 do not say how long completions are. */
async function withoutThinking(objects: ObjectStore, rollout: Reference) {
  const { lengthsN, truncatedN } = await readRollout(objects, rollout);
  return { lengthsN, truncatedN, thinkingN: [] as Thinking[] };
}

function refuseOtherCount({ uri }: Reference, expected: number, found: number): void {
  if (expected === found) return;
  throw new Failure('CorruptObject', `${uri}: expected scores of ${expected} completions, found ${found}`);
}

/** Tokens before each sequence. */
function offsetsOf(lengthsN: Int32Array): Float64Array {
  let offset = 0;
  return Float64Array.from(lengthsN, (length) => {
    offset += length;
    return offset - length;
  });
}

function tensorsOf(columns: Columns): Map<string, Tensor> {
  const { shardOfQ, inShardQ, slotsQ, promptsQ, lengthsN, offsetsN, truncatedN, rewards } = columns;
  return new Map<string, Tensor>([
    ['shardOfGroup', ints(Int32Array.from(shardOfQ))],
    ['groupInShard', ints(Int32Array.from(inShardQ))],
    ['slots', ints(Int32Array.from(slotsQ))],
    ['prompts', { dtype: 'U8', shape: [promptsQ.length, 32], data: Buffer.from(promptsQ.join(''), 'hex') }],
    ['completionLengths', ints(Int32Array.from(lengthsN))],
    ['tokenOffsets', { dtype: 'I64', shape: [offsetsN.length], data: BigInt64Array.from(offsetsN) }],
    ['truncated', ints(Int32Array.from(truncatedN))],
    ...rewards.flatMap(({ name, verdicts }) => verdictColumns(name, verdicts)),
  ]);
}

/** The shards of a rollout or an evaluation one after the other, with their texts: for people, and for statistics. */
import type { SampleRequest, ScoresRecord, Shard } from '../../contracts/records/schemas.ts';
import type { Reference } from '../../contracts/reference.ts';
import type { ObjectStore } from '../../stores/objects/objects.ts';
import { decodeRecord } from '../../stores/objects/records.ts';
import { readSampleRequest } from './request.ts';
import { readRollout } from './rollout.ts';
import { readScoresAndTexts } from './scores.ts';

export type ScoredShard = Pick<Shard, 'request' | 'rollout' | 'scores'>;

/** Where a rollout and its scores lie: one index for both, or in version 1 one record each. */
export interface ScoredRollout {
  rollout: Reference;
  scores: Reference;
}

export interface ShardTexts {
  request: SampleRequest;
  promptsP: Int32Array[];
  scores: ScoresRecord;
  lengthsN: Int32Array;
  truncatedN: Int32Array;
  /** the index in the rollout of the shard's sequence n; null where its group is not trained on */
  sequenceOf(n: number): number | null;
}

/** Reads one shard at a time. */
export async function* readShards(
  objects: Pick<ObjectStore, 'get'>,
  { rollout, scores }: ScoredRollout,
): AsyncGenerator<ShardTexts> {
  const decoded = decodeRecord(['rollout', 'rollout-index'], await objects.get(rollout), rollout.uri);
  if (decoded.record.kind === 'rollout') {
    const shard = { request: decoded.record.request, rollout, scores };
    yield { ...(await readShard(objects, shard)), sequenceOf: (n) => n };
    return;
  }
  const { shards, numGenerations } = decoded.record;
  const groups = groupsOf(decoded.ints('shardOfGroup'), decoded.ints('groupInShard'));
  for (const [index, shard] of shards.entries()) {
    const kept = groups.get(index) ?? new Map<number, number>();
    yield {
      ...(await readShard(objects, shard)),
      sequenceOf: (n) => {
        const q = kept.get(Math.floor(n / numGenerations));
        return q === undefined ? null : q * numGenerations + (n % numGenerations);
      },
    };
  }
}

/** shard → group in the shard → group of the rollout */
function groupsOf(shardOfQ: Int32Array, inShardQ: Int32Array): Map<number, Map<number, number>> {
  const groups = new Map<number, Map<number, number>>();
  for (const [q, shard] of shardOfQ.entries()) {
    const ofShard = groups.get(shard) ?? new Map<number, number>();
    groups.set(shard, ofShard.set(inShardQ[q] ?? 0, q));
  }
  return groups;
}

async function readShard(
  objects: Pick<ObjectStore, 'get'>,
  { request: requestAt, rollout: rolloutAt, scores: scoresAt }: ScoredShard,
): Promise<Omit<ShardTexts, 'sequenceOf'>> {
  const { request, promptsP } = await readSampleRequest(objects, requestAt);
  const { lengthsN, truncatedN } = await readRollout(objects, rolloutAt);
  return { request, promptsP, scores: await readScoresAndTexts(objects, scoresAt), lengthsN, truncatedN };
}

/**
 * A rollout as batches are made of it: the columns of all its completions, and parts of its shards. A rollout of
 * version 1 is read as one shard.
 *
 * Axes: N completions that are trained on, Q groups, B completions of one batch.
 */
import type { RolloutHealth } from '../../algorithm/rl/rollout-health.ts';
import { Failure } from '../../contracts/failures.ts';
import type { Numerics } from '../../contracts/numerics.ts';
import type { SamplingOptions } from '../../contracts/options.ts';
import type { JudgedReward, ScoresRecord } from '../../contracts/records/schemas.ts';
import type { Reference } from '../../contracts/reference.ts';
import type { ObjectStore } from '../../stores/objects/objects.ts';
import { decodeRecord } from '../../stores/objects/records.ts';
import { joinFloats, joinInts, split } from '../ragged.ts';
import { type DecodedRequest, readSampleRequest } from './request.ts';
import { readRollout } from './rollout.ts';
import { readScoresAndTexts, verdictsOf } from './scores.ts';
import { openShard, readWhole, type ShardReader } from './shard-reader.ts';

/** Where a rollout lies: its index, or the objects of version 1. */
export type RolloutObjects =
  | { index: Reference }
  | { rollout: Reference; scores: Reference; logprobs: Reference | null };

/**
 * The sequences of one batch. Columns of tokens are one array each [T], as the batch's record has them: a batch of long
 * completions is not in memory twice.
 */
interface BatchSequences {
  promptsB: Int32Array[];
  /** tokens of each completion */
  lengthsB: Int32Array;
  completionsT: Int32Array;
  samplerLogprobsT: Float32Array;
  /** null where it was not asked for */
  oldLogprobsT: Float32Array | null;
  referenceLogprobsT: Float32Array | null;
}

export interface RolloutView {
  numGenerations: number;
  sampling: SamplingOptions;
  /** null in version 1 */
  policy: string | null;
  policyDigest: string | null;
  /** of the sampler */
  numerics: Numerics;
  groupsQ: { slot: number; prompt: string }[];
  /** without extracted answers where it is read from an index */
  rewards: JudgedReward[];
  lengthsN: Int32Array;
  truncatedN: Int32Array;
  /** null in version 1: to be computed from its texts */
  health: RolloutHealth | null;
  /** of version 1 */
  whole: { request: DecodedRequest['request']; scores: ScoresRecord } | null;
  /** Reads what a batch needs of the completions with these indices. */
  read(sequencesB: readonly number[], columns: { old: boolean; reference: boolean }): Promise<BatchSequences>;
}

export function openRollout(objects: ObjectStore, location: RolloutObjects): Promise<RolloutView> {
  return 'index' in location ? openSharded(objects, location.index) : openWhole(objects, location);
}

/** Reads the index alone; shards are read in parts. */
async function openSharded(objects: ObjectStore, reference: Reference): Promise<RolloutView> {
  const decoded = decodeRecord(['rollout-index'], await objects.get(reference), reference.uri);
  const { record } = decoded;
  const lengthsN = decoded.ints('completionLengths');
  const hashes = Buffer.from(decoded.bytes('prompts')).toString('hex');
  const shardOfQ = decoded.ints('shardOfGroup');
  const inShardQ = decoded.ints('groupInShard');
  const offsetsN = decoded.longs('tokenOffsets');
  const { numGenerations, sampling, policy, policyDigest, numerics, health } = record;
  return {
    numGenerations,
    sampling,
    policy,
    policyDigest,
    numerics,
    groupsQ: Array.from(decoded.ints('slots'), (slot, q) => ({
      slot,
      prompt: hashes.slice(64 * q, 64 * (q + 1)),
    })),
    rewards: record.rewards.map(({ name, version }) => ({
      name,
      version,
      verdicts: verdictsOf(decoded, name),
    })),
    lengthsN,
    truncatedN: decoded.ints('truncated'),
    health,
    whole: null,
    async read(sequencesB, { old, reference: withReference }) {
      const parts = new Map<number, number[]>();
      for (const [b, n] of sequencesB.entries()) {
        const shard = shardOfQ[Math.floor(n / numGenerations)] ?? 0;
        parts.set(shard, [...(parts.get(shard) ?? []), b]);
      }
      const lengthsB = Int32Array.from(sequencesB, (n) => lengthsN[n] ?? 0);
      const found = emptyBatch(lengthsB, old, withReference);
      const beginsB = beginsOf(lengthsB);
      for (const [shard, indicesB] of [...parts].sort(([a], [b]) => a - b)) {
        const refs = record.shards[shard];
        if (refs === undefined)
          throw new Failure(
            'CorruptObject',
            `${reference.uri}: expected ${record.shards.length} shards, found a ${shard + 1}th`,
          );
        const wanted = indicesB.map((b) => {
          const n = sequencesB[b] ?? 0;
          const inShard = inShardQ[Math.floor(n / numGenerations)] ?? 0;
          return {
            group: inShard,
            sequence: inShard * numGenerations + (n % numGenerations),
            offset: Number(offsetsN[n]),
            length: lengthsN[n] ?? 0,
          };
        });
        const needsMost = 2 * wanted.length > record.shardSize * numGenerations;
        const source = needsMost ? readWhole(objects) : objects;
        const sampled = openShard(source, refs.rollout, 'rollout');
        const computed = openLogprobs(source, refs.logprobs, old || withReference, reference.uri);
        // Side by side: a column is a request for each of its sequences.
        const [{ promptsP }, tokens, logprobs, oldValues, referenceValues] = await Promise.all([
          readSampleRequest(objects, refs.request),
          sampled.then((shard) => shard.read('completionTokens', 'I32', wanted)),
          sampled.then((shard) => shard.read('logprobs', 'F32', wanted)),
          old ? computed.then((shard) => shard?.read('old', 'F32', wanted)) : undefined,
          withReference ? computed.then((shard) => shard?.read('reference', 'F32', wanted)) : undefined,
        ]);
        for (const [i, b] of indicesB.entries()) {
          const begin = beginsB[b] ?? 0;
          found.promptsB[b] = promptsP[wanted[i]?.group ?? 0] ?? new Int32Array();
          found.completionsT.set(tokens[i] ?? [], begin);
          found.samplerLogprobsT.set(logprobs[i] ?? [], begin);
          found.oldLogprobsT?.set(oldValues?.[i] ?? [], begin);
          found.referenceLogprobsT?.set(referenceValues?.[i] ?? [], begin);
        }
      }
      return found;
    },
  };
}

function emptyBatch(lengthsB: Int32Array, old: boolean, reference: boolean): BatchSequences {
  const tokens = lengthsB.reduce((sum, length) => sum + length, 0);
  return {
    promptsB: Array.from(lengthsB, () => new Int32Array()),
    lengthsB,
    completionsT: new Int32Array(tokens),
    samplerLogprobsT: new Float32Array(tokens),
    oldLogprobsT: old ? new Float32Array(tokens) : null,
    referenceLogprobsT: reference ? new Float32Array(tokens) : null,
  };
}

/** Tokens before each sequence. */
function beginsOf(lengthsB: Int32Array): number[] {
  let begin = 0;
  return Array.from(lengthsB, (length) => {
    begin += length;
    return begin - length;
  });
}

async function openLogprobs(
  objects: Pick<ObjectStore, 'getRange'>,
  reference: Reference | null,
  needed: boolean,
  of: string,
): Promise<ShardReader | null> {
  if (!needed) return null;
  if (reference !== null) return openShard(objects, reference, 'logprobs');
  return withoutLogprobs(of);
}

function withoutLogprobs(of: string): never {
  throw new Failure('Contradiction', `${of}: expected log-probabilities of its completions, found none`);
}

/** A rollout of version 1, all of it in memory. */
async function openWhole(
  objects: ObjectStore,
  location: Exclude<RolloutObjects, { index: Reference }>,
): Promise<RolloutView> {
  const [sampled, scores] = await Promise.all([
    readRollout(objects, location.rollout),
    readScoresAndTexts(objects, location.scores),
  ]);
  const { request, promptsP } = await readSampleRequest(objects, sampled.record.request);
  const { logprobs } = location;
  const { lengthsN, truncatedN } = sampled;
  return {
    numGenerations: request.numGenerations,
    sampling: request.sampling,
    policy: sampled.record.policy,
    policyDigest: sampled.record.policyDigest,
    numerics: sampled.record.numerics,
    groupsQ: request.prompts.map(({ slot, prompt }) => ({ slot, prompt })),
    rewards: scores.rewards,
    lengthsN,
    truncatedN,
    health: null,
    whole: { request, scores },
    async read(sequencesB, { old, reference }) {
      const of = async (name: 'old' | 'reference') => {
        if (logprobs === null) return withoutLogprobs(location.rollout.uri);
        const decoded = decodeRecord(['logprobs'], await objects.get(logprobs), logprobs.uri);
        const partsN = split(decoded.floats(name), lengthsN);
        return joinFloats(sequencesB.map((n) => partsN[n] ?? []));
      };
      return {
        promptsB: sequencesB.map((n) => promptsP[Math.floor(n / request.numGenerations)] ?? new Int32Array()),
        lengthsB: Int32Array.from(sequencesB, (n) => lengthsN[n] ?? 0),
        completionsT: joinInts(sequencesB.map((n) => sampled.completionsN[n] ?? [])),
        samplerLogprobsT: joinFloats(sequencesB.map((n) => sampled.logprobsN[n] ?? [])),
        oldLogprobsT: old ? await of('old') : null,
        referenceLogprobsT: reference ? await of('reference') : null,
      };
    },
  };
}

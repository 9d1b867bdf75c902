import type { JoinRolloutsInput, JoinRolloutsResult } from '../../../contracts/activities.ts';
import { Failure } from '../../../contracts/failures.ts';
import type { RolloutRecord, SampleRequest, ScoresRecord } from '../../../contracts/records.ts';
import { keys } from '../../../stores/objects/keys.ts';
import { putRecord, type Tensors } from '../../../stores/objects/records.ts';
import type { Stores } from '../../dependencies.ts';
import { floats, ints, joinFloats, joinInts, lengthsOf, split } from '../../ragged.ts';
import { readRollout, readSampleRequest, readScores } from '../../records.ts';

/** One kept group of one round: a prompt and its completions. */
interface Group {
  request: SampleRequest;
  rollout: RolloutRecord;
  scores: ScoresRecord;
  /** its index in the request of its round */
  index: number;
  promptTokens: Int32Array;
  completionsG: Int32Array[];
  logprobsG: Float32Array[];
  truncatedG: Int32Array;
}

/**
 * Joins the groups that dynamic sampling kept, of all its rounds, into one rollout: request, completions and
 * scores, in the order in which they were sampled, at most `groups` of them.
 */
export async function joinRollouts(
  { objects }: Stores,
  input: JoinRolloutsInput,
): Promise<JoinRolloutsResult> {
  const rounds = await Promise.all(input.parts.map((part) => keptGroups({ objects }, part)));
  const kept = rounds.flat().slice(0, input.groups);
  const [first] = kept;
  if (first === undefined) {
    throw new Failure(
      'EmptyBatch',
      `step ${input.firstStep}: expected prompts neither all right nor all wrong, found none in ${input.parts.length} rounds ` +
        '(dynamic_sampling_max_rounds); the data are too easy or too hard for this policy',
    );
  }
  const key = { ...input.key, step: input.firstStep };
  const request = await putRecord(
    objects,
    keys.request(key),
    joinedRequest(kept, first),
    requestTensors(kept),
  );
  const record: RolloutRecord = { ...first.rollout, request };
  const rollout = await putRecord(objects, keys.rollout(request, null), record, rolloutTensors(kept));
  const scores = await putRecord(
    objects,
    keys.scores(rollout),
    joinedScores(kept, first, rollout),
    new Map(),
  );
  return { request, rollout, scores };
}

async function keptGroups(
  { objects }: Pick<Stores, 'objects'>,
  part: JoinRolloutsInput['parts'][number],
): Promise<Group[]> {
  const [request, rollout, scores] = await Promise.all([
    readSampleRequest(objects, part.request),
    readRollout(objects, part.rollout),
    readScores(objects, part.scores),
  ]);
  const promptsP = split(request.ints('promptTokens'), request.ints('promptLengths'));
  const lengthsN = rollout.ints('completionLengths');
  const completionsN = split(rollout.ints('completionTokens'), lengthsN);
  const logprobsN = split(rollout.floats('logprobs'), lengthsN);
  const generations = request.record.numGenerations;
  return part.keep.map((index) => {
    const [from, to] = [index * generations, (index + 1) * generations];
    return {
      request: request.record,
      rollout: rollout.record,
      scores: scores.record,
      index,
      promptTokens: promptsP[index] ?? new Int32Array(),
      completionsG: completionsN.slice(from, to),
      logprobsG: logprobsN.slice(from, to),
      truncatedG: rollout.ints('truncated').subarray(from, to),
    };
  });
}

function joinedRequest(kept: Group[], first: Group): SampleRequest {
  return {
    ...first.request,
    prompts: kept.flatMap(({ request, index }) => request.prompts[index] ?? []),
    seeds: kept.flatMap((group) => ofGroup(group, group.request.seeds)),
  };
}

function requestTensors(kept: Group[]): Tensors {
  const prompts = kept.map(({ promptTokens }) => promptTokens);
  return new Map([
    ['promptTokens', ints(joinInts(prompts))],
    ['promptLengths', ints(lengthsOf(prompts))],
  ]);
}

function rolloutTensors(kept: Group[]): Tensors {
  const completionsN = kept.flatMap(({ completionsG }) => completionsG);
  const logprobs = joinFloats(kept.flatMap(({ logprobsG }) => logprobsG));
  return new Map([
    ['completionTokens', ints(joinInts(completionsN))],
    ['completionLengths', ints(lengthsOf(completionsN))],
    ['logprobs', floats(logprobs)],
    ['truncated', ints(joinInts(kept.map(({ truncatedG }) => truncatedG)))],
  ]);
}

function joinedScores(kept: Group[], first: Group, rollout: ScoresRecord['rollout']): ScoresRecord {
  return {
    kind: 'scores',
    rollout,
    rewards: first.scores.rewards.map(({ name, version }, k) => ({
      name,
      version,
      verdicts: kept.flatMap((group) => ofGroup(group, group.scores.rewards[k]?.verdicts ?? [])),
    })),
    texts: kept.flatMap((group) => ofGroup(group, group.scores.texts)),
  };
}

/** The group's entries of a list with one entry for each sequence. */
function ofGroup<T>({ request: { numGenerations }, index }: Group, entriesN: readonly T[]): T[] {
  return entriesN.slice(index * numGenerations, (index + 1) * numGenerations);
}

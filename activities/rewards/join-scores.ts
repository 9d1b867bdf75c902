import { Failure } from '../../contracts/failures.ts';
import type { ScoresRecord } from '../../contracts/records.ts';
import type { Reference } from '../../contracts/reference.ts';
import { keys } from '../../stores/objects/keys.ts';
import type { ObjectStore } from '../../stores/objects/objects.ts';
import { putRecord } from '../../stores/objects/records.ts';
import { readScores } from '../records.ts';

/** Joins several records of scores on one rollout. */
export async function joinScores(
  { objects }: { objects: ObjectStore },
  { scores }: { scores: Reference[] },
): Promise<{ scores: Reference }> {
  const parts = await Promise.all(scores.map((part) => readScores(objects, part)));
  const joined = joinedScores(parts.map(({ record }) => record));
  return { scores: await putRecord(objects, keys.scores(joined.rollout), joined, new Map()) };
}

/** The rewards in the order of the parts. Throws Failure 'InvalidInput' where parts are of different rollouts or share a reward. */
export function joinedScores(parts: readonly ScoresRecord[]): ScoresRecord {
  const [first, ...others] = parts;
  if (first === undefined)
    throw new Failure('InvalidInput', 'scores: expected at least one record, found none');
  const mismatch = others.find(({ rollout }) => rollout.sha256 !== first.rollout.sha256);
  if (mismatch !== undefined) {
    throw new Failure(
      'InvalidInput',
      `scores: expected all of the rollout ${first.rollout.uri}, found some of ${mismatch.rollout.uri}`,
    );
  }
  const rewards = parts.flatMap((part) => part.rewards);
  const twice = rewards.find(
    ({ name }, index) => rewards.findIndex((reward) => reward.name === name) < index,
  );
  if (twice !== undefined)
    throw new Failure('InvalidInput', `scores: expected each reward once, found ${twice.name} twice`);
  return { ...first, rewards };
}

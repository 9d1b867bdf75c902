import { Failure } from '../../contracts/failures.ts';
import type { Reference } from '../../contracts/reference.ts';
import type { ObjectStore } from '../../stores/objects/objects.ts';
import { readRollout } from '../records/rollout.ts';
import { type DecodedScores, putScores, putTexts, readScores } from '../records/scores.ts';

/** Joins several records of scores on one shard. */
export async function joinScores(
  { objects }: { objects: ObjectStore },
  { scores }: { scores: Reference[] },
): Promise<{ scores: Reference }> {
  const parts = await Promise.all(scores.map((part) => readScores(objects, part)));
  const { rollout, rewards, texts, columns } = joinedScores(parts);
  const { lengthsN, truncatedN } = columns ?? (await readRollout(objects, rollout));
  return {
    scores: await putScores(objects, {
      rollout,
      rewards,
      texts: texts.kind === 'record' ? texts.reference : await putTexts(objects, rollout, texts.textsN),
      lengthsN,
      truncatedN,
      thinkingN: columns?.thinkingN ?? Array.from(lengthsN, () => 'none' as const),
    }),
  };
}

/** The rewards in the order of the parts. Throws Failure 'InvalidInput' where parts are of different rollouts or share a reward. */
export function joinedScores(parts: readonly DecodedScores[]): DecodedScores {
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

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readScores } from '../../../activities/records.ts';
import { joinedScores, joinScores } from '../../../activities/rewards/join-scores.ts';
import type { ScoresRecord } from '../../../contracts/records.ts';
import { keys } from '../../../stores/objects/keys.ts';
import { putRecord } from '../../../stores/objects/records.ts';
import { memoryObjects } from '../memory-objects.ts';

const rollout = (digit: string) => ({
  uri: `s3://memory/runs/r/${digit}/rollout`,
  sha256: digit.repeat(64),
  bytes: 1,
});
const scoresOf = (name: string, score: number, digit = 'a'): ScoresRecord => ({
  kind: 'scores',
  rollout: rollout(digit),
  rewards: [{ name, version: 1, verdicts: [{ score }, { error: { kind: 'too-long', message: 'm' } }] }],
  texts: ['x', 'y'],
});

test('scores of one rollout become one record, rewards in the order of the parts', async () => {
  const objects = memoryObjects();
  const parts = [scoresOf('accuracy', 1), scoresOf('safety', 0.2), scoresOf('helpfulness', -3)];
  const written = await Promise.all(
    parts.map((part) => putRecord(objects, keys.scores(part.rollout), part, new Map())),
  );
  const { scores } = await joinScores({ objects }, { scores: written });
  const { record } = await readScores(objects, scores);
  assert.deepEqual(record, { ...parts[0], rewards: parts.flatMap(({ rewards }) => rewards) });
  assert.deepEqual((await joinScores({ objects }, { scores: written })).scores, scores);
});

test('scores of different rollouts, or of one reward twice, are not joined', () => {
  const first = scoresOf('accuracy', 1);
  assert.throws(() => joinedScores([first, scoresOf('safety', 1, 'b')]), /found some of .*\/b\/rollout/);
  assert.throws(() => joinedScores([first, first]), /expected each reward once, found accuracy twice/);
  assert.throws(() => joinedScores([]), /at least one record/);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type DecodedScores,
  putScores,
  putTexts,
  readScoresAndTexts,
} from '../../../activities/records/scores.ts';
import { joinedScores, joinScores } from '../../../activities/rewards/join-scores.ts';
import { memoryObjects } from '../memory-objects.ts';

const rollout = (digit: string) => ({
  uri: `s3://memory/runs/r/${digit}/rollout`,
  sha256: digit.repeat(64),
  bytes: 1,
});
const textsN = ['x', 'y'];
const scoresOf = (name: string, score: number, digit = 'a'): DecodedScores => ({
  rollout: rollout(digit),
  rewards: [{ name, version: 1, verdicts: [{ score }, { error: { kind: 'too-long', message: 'm' } }] }],
  texts: { kind: 'inline', textsN },
  columns: {
    lengthsN: Int32Array.of(3, 0),
    truncatedN: Int32Array.of(0, 1),
    thinkingN: ['present', 'none'],
  },
});

test('scores of one rollout become one record, rewards in the order of the parts', async () => {
  const objects = memoryObjects();
  const parts = [scoresOf('accuracy', 1), scoresOf('safety', 0.2), scoresOf('helpfulness', -3)];
  const written = [];
  for (const { rollout, rewards, columns } of parts) {
    const texts = await putTexts(objects, rollout, textsN);
    assert.ok(columns !== null);
    written.push(await putScores(objects, { rollout, texts, rewards, ...columns }));
  }
  const { scores } = await joinScores({ objects }, { scores: written });
  assert.deepEqual(await readScoresAndTexts(objects, scores), {
    rollout: rollout('a'),
    rewards: parts.flatMap(({ rewards }) => rewards),
    texts: textsN,
  });
  assert.deepEqual((await joinScores({ objects }, { scores: written })).scores, scores);
});

test('scores of different rollouts, or of one reward twice, are not joined', () => {
  const first = scoresOf('accuracy', 1);
  assert.throws(() => joinedScores([first, scoresOf('safety', 1, 'b')]), /found some of .*\/b\/rollout/);
  assert.throws(() => joinedScores([first, first]), /expected each reward once, found accuracy twice/);
  assert.throws(() => joinedScores([]), /at least one record/);
});

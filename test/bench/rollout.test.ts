import assert from 'node:assert/strict';
import { test } from 'node:test';
import { measureRollout } from './rollout/measure.ts';
import { reportText, trafficClaims } from './rollout/report.ts';

/** The halves last seconds: what the benchmark allows is too little while processes warm up. */
const GROWTH = 1.5;

test('a small rollout passes through every phase and its batches read each completion about once', async () => {
  const size = { prompts: 32, generations: 4, steps: 4, shardSize: 8, meanTokens: 200, maxTokens: 2000 };
  const figures = await measureRollout(size, () => undefined);
  const missed = trafficClaims(figures).filter(({ holds }) => !holds);
  assert.deepEqual(missed, [], reportText(figures));
  for (const part of [figures.memory.shards, figures.memory.batches])
    for (const [name, { firstHalf, secondHalf }] of Object.entries(part))
      assert.ok(secondHalf <= GROWTH * firstHalf, `${name}: ${firstHalf} bytes, then ${secondHalf}`);
  assert.equal(figures.completions, 128);
  assert.ok(figures.accuracy > 0.2 && figures.accuracy < 0.8, `${figures.accuracy} right`);
  assert.equal(figures.rows.batches, 4);
  assert.equal(figures.traffic.trainer.rollout?.writes, 4);
  assert.equal(figures.traffic.rewards.scores?.writes, 4);
  for (const [phase, seconds] of Object.entries(figures.phases)) assert.ok(seconds > 0, phase);
});

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Ground, openGround, runThrough } from './ground.ts';
import { type Outcome, outcomeOf } from './outcome.ts';

/** For a machine with much else to do; none of it is waited for in vain. */
const PATIENCE = { timeout: 600_000 };

let ground: Ground;
let calm: Outcome;

before(async () => {
  ground = await openGround();
  assert.equal(await runThrough(ground, 'calm'), 'complete');
  calm = await outcomeOf(ground, 'calm');
}, PATIENCE);
after(() => ground?.close());

test(
  'killed while it samples, between a batch and its row, between a step and its row, and again while it replays, a run ends in the same bits',
  PATIENCE,
  async () => {
    const failpoints = ['sampling:9', 'batch-object:9', 'trained:9', 'trained:7'];
    assert.equal(await runThrough(ground, 'killed', failpoints), 'complete');
    assert.deepEqual(await outcomeOf(ground, 'killed'), calm);
  },
);

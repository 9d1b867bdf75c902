import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Ground } from './ground.ts';
import {
  openSupervisedGround,
  runSupervised,
  type SupervisedOutcome,
  supervisedOutcome,
} from './supervised.ts';

/** For a machine with much else to do; none of it is waited for in vain. */
const PATIENCE = { timeout: 600_000 };

let ground: Ground;
let calm: SupervisedOutcome;

before(async () => {
  ground = await openSupervisedGround();
  assert.equal(await runSupervised(ground, 'calm'), 'complete');
  calm = await supervisedOutcome(ground, 'calm');
}, PATIENCE);
after(() => ground?.close());

test('examples are sampled, accepted and refused, frozen, and trained on for more than a pass', () => {
  const { digest, frozen, rejected, samples } = calm.dataset;
  assert.match(digest, /^[0-9a-f]{64}$/);
  assert.equal(frozen, true);
  assert.equal(samples.length, 36);
  const refused = Object.values(rejected).reduce((sum, count) => sum + count, 0);
  assert.ok(refused > 0 && refused < 36, JSON.stringify(rejected));
});

test(
  'killed between two parts of its samples, in the middle of a pass, and in a reward model’s training, a run ends in the same bits',
  PATIENCE,
  async () => {
    const failpoints = ['part-rows:0', 'trained:4', 'trained:6'];
    assert.equal(await runSupervised(ground, 'killed', failpoints), 'complete');
    assert.deepEqual(await supervisedOutcome(ground, 'killed'), calm);
  },
);

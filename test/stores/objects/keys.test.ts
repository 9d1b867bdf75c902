import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keyOf, keys } from '../../../stores/objects/keys.ts';
import { refuseKey } from '../../../stores/objects/objects.ts';

const sha256 = '0123456789abcdef'.repeat(4);
const key = { run: 'calm', stage: 'distill/STUDENT', branch: 2, step: 37 };
const lease = { ...key, term: 3 };
const under = (path: string) => ({ uri: `s3://bucket/${path}` });

test('every object has a key of its own that tells whose it is', () => {
  const rollouts = 'runs/calm/distill/STUDENT/b2/rollouts/step-000037';
  const table: [string, string][] = [
    [keys.request(key)(sha256), `${rollouts}/request-0123456789abcdef.safetensors`],
    [keys.rollout(under(`${rollouts}/r`))(sha256), `${rollouts}/rollout-0123456789abcdef.safetensors`],
    [keys.scores(under(`${rollouts}/r`))(sha256), `${rollouts}/scores-0123456789abcdef.safetensors`],
    [keys.logprobs(under(`${rollouts}/r`))(sha256), `${rollouts}/logprobs-0123456789abcdef.safetensors`],
    [
      keys.batch(key)(sha256),
      'runs/calm/distill/STUDENT/b2/batches/step-000037/batch-0123456789abcdef.safetensors',
    ],
    [
      keys.evaluationRequest(key, { as: 'base', step: 0, quick: true })(sha256),
      'runs/calm/distill/STUDENT/evaluations/base-000000-quick/request-0123456789abcdef.safetensors',
    ],
    [keys.manifest(lease, 40), 'runs/calm/distill/STUDENT/b2/checkpoints/step-000040/t3/manifest.json'],
    [keys.referencePolicy(sha256), `references/${sha256}.safetensors`],
    [keys.modelFile(sha256, 'config.json'), `models/${sha256}/config.json`],
  ];
  for (const [made, expected] of table) {
    assert.equal(made, expected);
    refuseKey(made);
  }
  assert.equal(new Set(table.map(([made]) => made)).size, table.length);
});

test('an address gives back its key', () => {
  assert.equal(keyOf(under('a/b/c')), 'a/b/c');
});

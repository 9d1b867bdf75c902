import assert from 'node:assert/strict';
import { test } from 'node:test';
import { folderOf, type ObjectKeyName, objectKey, objectKeys } from '../../contracts/object-keys.ts';
import { keys } from '../../stores/objects/keys.ts';

const sha256 = '0123456789abcdef'.repeat(4);
const key = { run: 'calm', stage: 'distill/STUDENT', branch: 2, step: 37 };
const lease = { run: 'calm', stage: 'distill/STUDENT', branch: 2, term: 3 };
const beside = { uri: 's3://bucket/runs/calm/zero/b0/rollouts/step-000001/request-0.safetensors' };
const folder = folderOf(beside);
const digest = sha256;

/** Each key as the code makes it, and the fields that the pattern takes. */
const made: Partial<Record<ObjectKeyName, [string, Record<string, string | number>]>> = {
  request: [keys.request(key)(sha256), { ...key, digest }],
  evaluationRequest: [
    keys.evaluationRequest(key, { as: 'base', step: 4, quick: true })(sha256),
    { ...key, as: 'base', step: 4, quick: '-quick', digest },
  ],
  examplesRequest: [keys.examplesRequest(key, 3)(sha256), { ...key, part: 3, digest }],
  modelRequest: [keys.modelRequest(key)(sha256), { ...key, digest }],
  rollout: [keys.rollout(beside)(sha256), { folder, digest }],
  logprobs: [keys.logprobs(beside)(sha256), { folder, digest }],
  completionTexts: [keys.completionTexts(beside)(sha256), { folder, digest }],
  rolloutIndex: [keys.rolloutIndex(beside)(sha256), { folder, digest }],
  sequences: [keys.sequences(beside)(sha256), { folder, digest }],
  rankedSequences: [keys.rankedSequences(key)(sha256), { ...key, digest }],
  modelScores: [keys.modelScores(beside)(sha256), { folder, digest }],
  scores: [keys.scores(beside)(sha256), { folder, digest }],
  batch: [keys.batch(key)(sha256), { ...key, digest }],
  checkpointFile: [
    keys.checkpointFile(lease, 40, 'config.json'),
    { ...lease, step: 40, file: 'config.json' },
  ],
  manifest: [keys.manifest(lease, 40), { ...lease, step: 40 }],
  referencePolicy: [keys.referencePolicy(sha256), { weights: sha256 }],
  texts: [keys.texts(sha256), { sha256 }],
  modelFile: [keys.modelFile(sha256, 'config.json'), { weights: sha256, file: 'config.json' }],
};

test('the published patterns give the keys that the code uses', () => {
  for (const [name, [expected, fields]] of Object.entries(made)) {
    assert.equal(objectKey(name as ObjectKeyName, fields), expected, name);
  }
});

test('every key that the code makes is published', () => {
  for (const name of Object.keys(keys)) {
    assert(name in objectKeys, `${name}: expected a pattern in contracts/object-keys.ts, found none`);
    assert(name in made, `${name}: expected an example in this test, found none`);
  }
});

test('every pattern names its writer by the term or its content by a digest', () => {
  for (const [name, { pattern }] of Object.entries(objectKeys)) {
    assert.match(pattern, /\{(term|digest:16|weights|sha256)\}/, name);
  }
});

test('a field that is missing is refused by name', () => {
  assert.throws(() => objectKey('manifest', { ...lease }), /key of a manifest: expected a value of step/);
});

/** Records of release 0.1.0 (`test/fixtures/release-1`) are read by this release, and used as that release used them. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { readManifest } from '../../activities/checkpoints/checkpoint-files.ts';
import { isReinforcement, readLoggedBatch } from '../../activities/records/logged-batch.ts';
import { readSampleRequest } from '../../activities/records/request.ts';
import { readRollout } from '../../activities/records/rollout.ts';
import { openRollout } from '../../activities/records/rollout-view.ts';
import { readScoresAndTexts } from '../../activities/records/scores.ts';
import type { Verdict } from '../../contracts/records/schemas.ts';
import type { Reference } from '../../contracts/reference.ts';
import { decodeRecord } from '../../stores/objects/records.ts';
import { memoryObjects } from './memory-objects.ts';

const folder = join(import.meta.dirname, '..', 'fixtures', 'release-1');
interface Fixtures {
  records: { kind: string; what: string; file: string; reference: Reference }[];
}
const { records } = JSON.parse(readFileSync(join(folder, 'records.json'), 'utf8')) as Fixtures;

/** A store that holds every fixture under its original address. */
function oldObjects() {
  const objects = memoryObjects();
  for (const { file, reference } of records) {
    const bytes = readFileSync(join(folder, 'records', file));
    objects.stored.set(reference.uri, file.endsWith('.gz') ? gunzipSync(bytes) : bytes);
  }
  return objects;
}

const of = (kind: string) =>
  records.filter((record) => record.kind === kind).map(({ reference }) => reference);

test('each fixture has the bytes that its reference names', () => {
  const { stored } = oldObjects();
  for (const { file, reference } of records) {
    const bytes = stored.get(reference.uri) ?? new Uint8Array();
    assert.equal(createHash('sha256').update(bytes).digest('hex'), reference.sha256, file);
    assert.equal(bytes.length, reference.bytes, file);
  }
});

test('old records of every kind are read', async () => {
  const objects = oldObjects();
  for (const reference of of('sample-request')) {
    const { request, promptsP } = await readSampleRequest(objects, reference);
    assert.ok(promptsP.every(({ length }) => length > 0));
    assert.match(request.prompts[0]?.prompt ?? '', /^[0-9a-f]{64}$/);
  }
  for (const reference of of('rollout')) {
    const { record, completionsN, logprobsN } = await readRollout(objects, reference);
    assert.equal(record.policy, null);
    assert.deepEqual(
      completionsN.map(({ length }) => length),
      logprobsN.map(({ length }) => length),
    );
  }
  for (const reference of of('logprobs')) {
    const { floats, version } = decodeRecord(['logprobs'], await objects.get(reference));
    assert.equal(version, 1);
    assert.equal(floats('old').length, floats('reference').length);
  }
  const verdicts: Verdict[] = [];
  for (const reference of of('scores')) {
    const { rewards, texts } = await readScoresAndTexts(objects, reference);
    assert.equal(texts.length, rewards[0]?.verdicts.length);
    verdicts.push(...rewards.flatMap((reward) => reward.verdicts));
  }
  for (const field of ['error', 'absent', 'extracted', 'value'])
    assert.ok(
      verdicts.some((verdict) => field in verdict),
      `expected a verdict with ${field}`,
    );
  const seen = new Set<string>();
  for (const reference of [...of('batch'), ...of('supervised-batch')]) {
    const batch = await readLoggedBatch(objects, reference);
    assert.ok(batch.ints('completionTokens').length > 0);
    assert.equal(batch.record.policyBefore, null);
    if (!isReinforcement(batch)) {
      seen.add((batch.record as { objective: string }).objective);
      continue;
    }
    const { old, refreshReference, rollout } = batch.record;
    seen
      .add(`old ${old}`)
      .add(refreshReference === null ? 'kept' : 'refreshed')
      .add('logprobs' in rollout && rollout.logprobs !== null ? 'with log-probabilities' : 'alone');
  }
  const each = ['sft', 'pairwise', 'pointwise', 'old own', 'old logged', 'kept', 'refreshed'];
  assert.deepEqual([...seen].sort(), [...each, 'alone', 'with log-probabilities'].sort());
  for (const reference of of('checkpoint')) {
    const { files, lease, moments } = await readManifest(objects, reference);
    assert.ok('model.safetensors' in files);
    assert.equal(lease === null, moments === null);
  }
});

test('a rollout of the first release is read as one shard: its batches’ sequences are those that it logged', async () => {
  const objects = oldObjects();
  let compared = 0;
  for (const reference of of('batch')) {
    const batch = await readLoggedBatch(objects, reference);
    if (!isReinforcement(batch)) continue;
    const { rollout, old, referenceDigest } = batch.record;
    if (!('scores' in rollout) || !objects.stored.has(rollout.rollout.uri)) continue;
    const view = await openRollout(objects, rollout);
    const wanted = { old: old === 'logged', reference: referenceDigest !== null };
    const read = await view.read([...batch.ints('sequences')], wanted);
    assert.deepEqual(read.completionsT, batch.ints('completionTokens'));
    assert.deepEqual(
      read.promptsB.flatMap((prompt) => [...prompt]),
      [...batch.ints('promptTokens')],
    );
    assert.deepEqual(read.samplerLogprobsT, batch.floats('samplerLogprobs'));
    if (wanted.old) assert.deepEqual(read.oldLogprobsT, batch.floats('oldLogprobs'));
    if (wanted.reference) assert.deepEqual(read.referenceLogprobsT, batch.floats('referenceLogprobs'));
    compared += 1;
  }
  assert.ok(compared > 3);
});

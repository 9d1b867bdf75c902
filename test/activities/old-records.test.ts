/** Records of release 0.1.0 (`test/fixtures/release-1`) are read by this release, and used as that release used them. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { readManifest } from '../../activities/checkpoints/checkpoint-files.ts';
import { joinRollouts } from '../../activities/orchestrator/rollouts/join-rollouts.ts';
import {
  readLoggedBatch,
  readLogprobs,
  readRollout,
  readSampleRequest,
  readScores,
} from '../../activities/records.ts';
import type { JoinRolloutsInput, JoinRolloutsResult } from '../../contracts/activities.ts';
import type { Verdict } from '../../contracts/records.ts';
import type { Reference } from '../../contracts/reference.ts';
import type { Database } from '../../stores/database/database.ts';
import { memoryObjects } from './memory-objects.ts';

const folder = join(import.meta.dirname, '..', 'fixtures', 'release-1');
interface Fixtures {
  records: { kind: string; what: string; file: string; reference: Reference }[];
  calls: { stage: string; activity: string; input: unknown; result: unknown }[];
}
const { records, calls } = JSON.parse(readFileSync(join(folder, 'records.json'), 'utf8')) as Fixtures;

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
  for (const reference of of('sample-request'))
    assert.ok((await readSampleRequest(objects, reference)).ints('promptTokens').length > 0);
  for (const reference of of('rollout'))
    assert.ok((await readRollout(objects, reference)).floats('logprobs').length > 0);
  for (const reference of of('logprobs')) {
    const { ints: _, floats } = await readLogprobs(objects, reference);
    assert.equal(floats('old').length, floats('reference').length);
  }
  const verdicts: Verdict[] = [];
  for (const reference of of('scores')) {
    const { record } = await readScores(objects, reference);
    verdicts.push(...record.rewards.flatMap((reward) => reward.verdicts));
  }
  for (const field of ['error', 'absent', 'extracted', 'value'])
    assert.ok(
      verdicts.some((verdict) => field in verdict),
      `expected a verdict with ${field}`,
    );
  const seen = new Set<string>();
  for (const reference of [...of('batch'), ...of('supervised-batch')]) {
    const { record, ints } = await readLoggedBatch(objects, reference);
    assert.ok(ints('completionTokens').length > 0);
    if (record.kind === 'supervised-batch') seen.add(record.objective);
    else
      seen
        .add(`old ${record.old}`)
        .add(record.refreshReference === null ? 'kept' : 'refreshed')
        .add(record.logprobs === null ? 'alone' : 'with log-probabilities');
  }
  const each = ['sft', 'pairwise', 'pointwise', 'old own', 'old logged', 'kept', 'refreshed'];
  assert.deepEqual([...seen].sort(), [...each, 'alone', 'with log-probabilities'].sort());
  for (const reference of of('checkpoint')) {
    const { files, lease, moments } = await readManifest(objects, reference);
    assert.ok('model.safetensors' in files);
    assert.equal(lease === null, moments === null);
  }
});

test('old rounds of dynamic sampling are joined into the same arrays', async () => {
  const objects = oldObjects();
  const call = calls.find(({ activity }) => activity === 'joinRollouts');
  const { input, result } = call as { input: JoinRolloutsInput; result: JoinRolloutsResult };
  assert.ok(input.parts.length > 1);
  const database = null as unknown as Database;
  const joined = await joinRollouts({ database, objects }, input);
  const [old, again] = await Promise.all(
    [result, joined].map(({ rollout }) => readRollout(objects, rollout)),
  );
  for (const name of ['completionTokens', 'completionLengths', 'truncated'])
    assert.deepEqual(again?.ints(name), old?.ints(name));
  assert.deepEqual(again?.floats('logprobs'), old?.floats('logprobs'));
  const [oldScores, scores] = await Promise.all(
    [result, joined].map((each) => readScores(objects, each.scores)),
  );
  assert.deepEqual(scores?.record.rewards, oldScores?.record.rewards);
});

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { indexRollout } from '../../../activities/orchestrator/rollouts/index-rollout.ts';
import { floats, ints, sequenceTensors } from '../../../activities/ragged.ts';
import { readRollout } from '../../../activities/records/rollout.ts';
import { readStepSamples, stepSamplesText } from '../../../cli/data/completions.ts';
import { stepSamplesDocument } from '../../../contracts/completion-document.ts';
import type { Tensor } from '../../../contracts/format/dtypes.ts';
import { textColumn } from '../../../contracts/format/text-column.ts';
import type { BatchRecord } from '../../../contracts/records/schemas.ts';
import { keys } from '../../../stores/objects/keys.ts';
import { putRecord } from '../../../stores/objects/records.ts';
import { commitBatch } from '../../../stores/steps/batches.ts';
import { recordStep } from '../../../stores/steps/steps.ts';
import { right, sampledPart, storesWithRun, wrong } from '../../activities/sampled-part.ts';
import { at, batchOf, claim, digest, KEY, stepOf } from '../../stores/helpers.ts';

const failed = {
  text: 'no tags',
  accuracy: { error: { kind: 'unparsable', message: 'of the truth' } },
} as const;

/** A first step that trained on three of four completions: two right, one wrong, and one left out for its error. */
async function trainedStep(t: TestContext) {
  const stores = await storesWithRun(t);
  const part = await sampledPart(stores, 0, [right('a'), wrong, { ...failed }, right('b')]);
  const { request } = (await readRollout(stores.objects, part.rollout)).record;
  const { index } = await indexRollout(stores, {
    firstStep: 1,
    shards: [{ request, rollout: part.rollout, scores: part.scores, logprobs: null, keep: null }],
    groups: 2,
    policy: digest('policy'),
    referenceDigest: null,
  });
  const term = await claim(stores.database);
  const made = batchOf(1, term);
  const record: BatchRecord = { ...(made.record as BatchRecord), rollout: index };
  const sequences = [[2], [2], [2]].map((tokens) => Int32Array.from(tokens));
  const tensors = new Map<string, Tensor>([
    ...sequenceTensors(sequences, sequences),
    ['sequences', ints(Int32Array.from([0, 1, 3]))],
    ['advantages', floats(Float32Array.from([0.5, -1, 0.5]))],
    ['lossWeights', floats(new Float32Array(3))],
    ['samplerLogprobs', floats(new Float32Array(3))],
    ['dropSequences', ints(Int32Array.of(2))],
    ['dropReasons', { dtype: 'U8', shape: [1], data: Uint8Array.of(0) }],
    ...textColumn('dropMessages', ['accuracy: unparsable']),
  ]);
  const batch = await putRecord(stores.objects, keys.batch(at(1)), record, tensors);
  const { database } = stores;
  await commitBatch(database, { ...made, batch, record, result: { ...made.result, batch } });
  await recordStep(database, { ...stepOf(1, term), batch });
  const read = (of: { step?: number; verdict?: 'right' | 'wrong'; limit?: number } = {}) =>
    readStepSamples({ reader: database, objects: stores.objects }, KEY, {
      step: 1,
      limit: 10,
      ...of,
      verdict: of.verdict ?? null,
    });
  return { read };
}

test('a step’s completions are read from its records: what was trained on and what was left out', async (t) => {
  const { read } = await trainedStep(t);
  const document = stepSamplesDocument.parse(await read());
  const { completions, asked, errors } = document;
  assert.deepEqual([completions, document.right, document.wrong, errors, asked], [4, 2, 1, 1, 4]);
  assert.deepEqual(
    document.samples.map(({ sequence, verdict, advantage, dropped }) => [
      sequence,
      verdict,
      advantage,
      dropped,
    ]),
    [
      [0, 'right', 0.5, null],
      [1, 'wrong', -1, null],
      [2, 'error', null, 'error: accuracy: unparsable'],
      [3, 'right', 0.5, null],
    ],
  );
  const [first, second, third] = document.samples;
  assert.deepEqual(first?.rewards, { accuracy: { score: 1, version: 3 }, format: { score: 1, version: 1 } });
  assert.deepEqual([second?.extracted, second?.truth, second?.problem, second?.sample], ['0', '1', '1+0', 1]);
  assert.deepEqual(third?.rewards.accuracy, { error: failed.accuracy.error, version: 3 });

  const text = stepSamplesText(document);
  assert.match(text, /^calm\/zero step 1: 4 completions, 2 right, 1 wrong, 1 without a verdict \(errors\);/);
  assert.match(text, /sequence 1 {2}· {2}advantage -1\.000 {2}· .* wrong {2}· {2}accuracy 0, format 1/);
  assert.match(
    text,
    /completion {2}<think>hm<\/think><answer>0<\/answer>\n {2}answer {6}0\n {2}correct {5}1/,
  );
  assert.match(text, /sequence 2 {2}· {2}dropped: error: accuracy: unparsable/);
});

test('right and wrong ones apart, and no more than asked for', async (t) => {
  const { read } = await trainedStep(t);
  const sequences = async (of: Parameters<typeof read>[0]) =>
    (await read(of)).samples.map(({ sequence }) => sequence);
  assert.deepEqual(await sequences({ verdict: 'right' }), [0, 3]);
  assert.deepEqual(await sequences({ verdict: 'wrong' }), [1]);
  const one = await read({ verdict: 'right', limit: 1 });
  assert.deepEqual([one.samples.length, one.asked], [1, 2]);
  assert.match(stepSamplesText(one), /\n1 of 2 shown; --limit shows more\./);
});

test('a step that is not recorded is refused with those that are', async (t) => {
  const { read } = await trainedStep(t);
  await assert.rejects(read({ step: 7 }), {
    name: 'InputError',
    message: '--step 7: expected a step from 1 to 1 of calm/zero. `r1 steps calm` lists them.',
  });
});

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { expectedTensors } from '../../../engine/model/architecture.ts';
import { parseModelConfig } from '../../../engine/model/model-config.ts';
import { digestLine, digestTensors } from '../../../engine/weights/digest.ts';
import {
  decodeSafetensors,
  encodeSafetensors,
  readSafetensors,
  type StoredTensors,
  WeightsError,
} from '../../../engine/weights/safetensors.ts';
import {
  bufferSource,
  checkWeights,
  readWeightsFolder,
  writeWeightsFolder,
} from '../../../engine/weights/weights.ts';

const config = parseModelConfig({
  model_type: 'llama',
  vocab_size: 11,
  hidden_size: 16,
  intermediate_size: 12,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  num_key_value_heads: 1,
  tie_word_embeddings: true,
});

function madeWeights(): StoredTensors {
  let n = 0;
  return new Map(
    [...expectedTensors(config)].map(([name, shape]) => {
      const size = shape.reduce((a, b) => a * b, 1);
      return [name, { dtype: 'F32', shape, data: Float32Array.from({ length: size }, () => Math.sin(n++)) }];
    }),
  );
}

async function folder(context: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'weights-'));
  context.after(() => rm(path, { recursive: true }));
  return path;
}

/** A safetensors file from a raw header and data, to make damaged ones. */
function rawFile(header: object, data: Uint8Array): Uint8Array {
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, data]);
}

const refused = (work: () => unknown, message: RegExp) =>
  assert.throws(work, (error) => error instanceof WeightsError && message.test(error.message));

test('a written folder is read again to the same bits', async (t) => {
  const path = await folder(t);
  const weights = madeWeights();
  await writeWeightsFolder(path, weights);
  assert.deepEqual(await readWeightsFolder(path, config), weights);
});

test('equal tensors give equal files, whatever order they were inserted in', () => {
  const weights = madeWeights();
  const reversed = new Map([...weights].reverse());
  assert.deepEqual(encodeSafetensors(weights), encodeSafetensors(reversed));
});

test('the file is laid out as Hugging Face lays it out', () => {
  const data = Float32Array.of(1, 2);
  const bytes = Buffer.from(encodeSafetensors(new Map([['w', { dtype: 'F32', shape: [2], data }]])));
  const header = '{"__metadata__":{"format":"pt"},"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}';
  assert.equal(bytes.readBigUInt64LE(0), BigInt(Math.ceil(header.length / 8) * 8));
  assert.equal(
    bytes
      .subarray(8, bytes.length - 8)
      .toString()
      .trimEnd(),
    header,
  );
  assert.equal(bytes.readFloatLE(bytes.length - 4), 2);
});

test('half precision is widened exactly', () => {
  const halves = { dtype: 'F16', shape: [6], data_offsets: [0, 12] };
  const brains = { dtype: 'BF16', shape: [3], data_offsets: [12, 18] };
  const bits = Uint16Array.of(0x3c00, 0xc000, 0x0001, 0x7bff, 0x7c00, 0x8000, 0x3f80, 0xc049, 0xff80);
  const tensors = decodeSafetensors(rawFile({ halves, brains }, new Uint8Array(bits.buffer)));
  assert.deepEqual(
    [...(tensors.get('halves')?.data ?? [])],
    [1, -2, 2 ** -24, 65504, Number.POSITIVE_INFINITY, -0],
  );
  assert.deepEqual([...(tensors.get('brains')?.data ?? [])], [1, -3.140625, Number.NEGATIVE_INFINITY]);
});

test('shards are put together by their index', async (t) => {
  const path = await folder(t);
  const weights = madeWeights();
  const halves = [new Map([...weights].slice(0, 7)), new Map([...weights].slice(7))];
  const weight_map: Record<string, string> = {};
  for (const [index, half] of halves.entries()) {
    const shard = `model-0000${index + 1}-of-00002.safetensors`;
    await writeFile(join(path, shard), encodeSafetensors(half));
    for (const name of half.keys()) weight_map[name] = shard;
  }
  await writeFile(join(path, 'model.safetensors.index.json'), JSON.stringify({ metadata: {}, weight_map }));
  assert.deepEqual(await readWeightsFolder(path, config), weights);
  await rm(join(path, 'model-00002-of-00002.safetensors'));
  await assert.rejects(readWeightsFolder(path, config), /names the shard model-00002-of-00002/);
});

test('an index names files of its own folder alone', async (t) => {
  const path = await folder(t);
  const outside = join(await folder(t), 'weights.safetensors');
  await writeFile(outside, encodeSafetensors(madeWeights()));
  const names = [
    '../../etc/passwd',
    '/etc/passwd',
    outside,
    'a/b.safetensors',
    '..',
    '.',
    '',
    'a\0',
    'a\\b',
    'x'.repeat(256),
  ];
  for (const name of [...names, 7, null]) {
    const weight_map = Object.fromEntries([...madeWeights().keys()].map((tensor) => [tensor, name]));
    await writeFile(join(path, 'model.safetensors.index.json'), JSON.stringify({ weight_map }));
    await assert.rejects(
      readWeightsFolder(path, config),
      /index\.json: expected an index of shards.*weight_map\.model\.embed_tokens\.weight.*Fetch/,
      String(name),
    );
  }
});

test('a folder without weights says what it looked for', async (t) => {
  const path = await folder(t);
  await assert.rejects(
    readWeightsFolder(path, config),
    /expected model\.safetensors, or model\.safetensors\.index\.json/,
  );
});

test('a truncated file names the tensor where it ends, wherever it was cut', async () => {
  const bytes = encodeSafetensors(madeWeights());
  refused(
    () => decodeSafetensors(bytes.subarray(0, bytes.length - 4), 'a.safetensors'),
    /a\.safetensors: truncated within tensor "model\.norm\.weight": expected \d+ bytes of data, found \d+\. Fetch/,
  );
  refused(
    () => decodeSafetensors(bytes.subarray(0, 40)),
    /truncated, or not a safetensors file: expected a header of at most 32 bytes, found \d+\. Fetch/,
  );
  refused(
    () => decodeSafetensors(bytes.subarray(0, 5)),
    /truncated: expected at least 8 bytes, found 5\. Fetch/,
  );
});

test('a file read piece by piece is refused as a file in memory is', async () => {
  const whole = encodeSafetensors(madeWeights());
  const read = (bytes: Uint8Array) => readSafetensors(bufferSource('a.safetensors', bytes));
  assert.deepEqual(await read(whole), decodeSafetensors(whole));
  for (const length of [0, 7, 40, whole.length - 4]) {
    const cut = whole.subarray(0, length);
    const error = await read(cut).catch((caught: unknown) => caught);
    assert.ok(error instanceof WeightsError, `cut at ${length}`);
    assert.throws(() => decodeSafetensors(cut, 'a.safetensors'), { message: error.message });
  }
});

test('weights are memory of their own: the file they came from may change', () => {
  const bytes = encodeSafetensors(madeWeights());
  const weights = decodeSafetensors(bytes);
  bytes.fill(0);
  assert.deepEqual(weights, madeWeights());
});

test('a header that does not fit its data is refused', () => {
  const w = (shape: number[], data_offsets: number[], dtype = 'F32') => ({ dtype, shape, data_offsets });
  const data = new Uint8Array(16);
  refused(
    () => decodeSafetensors(rawFile({ w: w([3], [0, 16]) }, data)),
    /tensor "w" of F32\[3\]: expected 12 bytes, found data_offsets of 16\. Fetch or copy/,
  );
  refused(
    () => decodeSafetensors(rawFile({ w: w([2], [0, 8]) }, data)),
    /expected 8 bytes of data after the header, found 16\. Fetch/,
  );
  refused(
    () => decodeSafetensors(rawFile({ v: w([2], [0, 8]), w: w([2], [4, 12]) }, data)),
    /tensor "w" overlaps another: expected it to begin at byte 8 of the data, found 4\. Fetch/,
  );
  refused(
    () => decodeSafetensors(rawFile({ w: w([2], [0, 16], 'I64') }, data)),
    /tensor "w": expected a dtype of F32, F16, BF16, found "I64"\. Convert the checkpoint/,
  );
  refused(
    () => decodeSafetensors(rawFile({ w: { dtype: 'F32' } }, data)),
    /tensor "w": expected a shape of whole numbers, found undefined\. Fetch/,
  );
});

test('missing, unexpected and misshapen tensors are named', () => {
  const without = madeWeights();
  without.delete('model.layers.1.mlp.up_proj.weight');
  refused(
    () => checkWeights(without, config, 'x'),
    /x lacks the tensor model\.layers\.1\.mlp\.up_proj\.weight/,
  );
  const norm = { dtype: 'F32', shape: [16], data: new Float32Array(16) } as const;
  const more = madeWeights().set('model.layers.0.self_attn.q_proj.bias', norm);
  refused(
    () => checkWeights(more, config, 'x'),
    /x has the tensor model\.layers\.0\.self_attn\.q_proj\.bias/,
  );
  const bent = madeWeights().set('model.layers.0.mlp.up_proj.weight', norm);
  refused(
    () => checkWeights(bent, config, 'x'),
    /up_proj\.weight: expected shape \[12,16\] from config\.json, found \[16\]/,
  );
});

test('a tied output projection is left out when it is the embedding, refused when it is not', () => {
  const weights = madeWeights();
  const embedding = weights.get('model.embed_tokens.weight');
  assert.ok(embedding);
  const tied = new Map(weights).set('lm_head.weight', { ...embedding });
  assert.deepEqual(checkWeights(tied, config, 'x'), weights);
  tied.set('lm_head.weight', { ...embedding, data: embedding.data.map((x) => x + 1) });
  refused(() => checkWeights(tied, config, 'x'), /lm_head\.weight/);
});

test('the digest is the one that its definition gives by hand', () => {
  const tensors: StoredTensors = new Map([
    ['b', { dtype: 'F32', shape: [2], data: Float32Array.of(1, -2) }],
    ['a', { dtype: 'F32', shape: [1, 1], data: Float32Array.of(0.5) }],
  ]);
  assert.equal(
    digestLine('a', [1, 1], Float32Array.of(0.5)),
    '["a","F32",[1,1],"d99e58435243d9fef9c88273b8d553b4fba4d0baf8009d29eae74fa99e0d9f57"]\n',
  );
  assert.equal(digestTensors(tensors), '6479833fabdabf003c261f4b2c790ac289215e48bc9d9fdc11fd5e4af165a3ae');
});

test('one flipped bit, another name or another shape is another digest', () => {
  const weights = madeWeights();
  const digest = digestTensors(weights);
  assert.equal(digestTensors(decodeSafetensors(encodeSafetensors(weights))), digest);
  const bytes = encodeSafetensors(weights);
  bytes[bytes.length - 3] = (bytes[bytes.length - 3] ?? 0) ^ 1;
  assert.notEqual(digestTensors(decodeSafetensors(bytes)), digest);
  const norm = weights.get('model.norm.weight');
  assert.ok(norm);
  assert.notEqual(
    digestTensors(new Map(weights).set('model.norm.weight', { ...norm, shape: [2, 8] })),
    digest,
  );
});

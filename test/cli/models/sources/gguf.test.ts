import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { convertGguf } from '../../../../cli/models/sources/gguf/convert-gguf.ts';
import { configOf, llama3Divisors, Metadata } from '../../../../cli/models/sources/gguf/gguf-model.ts';
import { tokenizerOf } from '../../../../cli/models/sources/gguf/gguf-tokenizer.ts';
import { readModelFolder } from '../../../../engine/weights/model-folder.ts';
import { decodeSafetensors } from '../../../../engine/weights/safetensors.ts';
import { PROJECT_ROOT } from '../../../../infra/paths.ts';

// Made by make.py beside them: a random Llama as llama.cpp's converter writes it, the values of the `gguf` package's
// own dequantisation, and the token ids of `tokenizers` by the tokenizer that the file was made from.
const FIXTURES = join(PROJECT_ROOT, 'test/fixtures/gguf');
const TINY = join(FIXTURES, 'tiny.gguf');

interface Expected {
  tensors: Record<string, { shape: number[]; sha256: string; first: number[] }>;
  encodings: { text: string; ids: number[] }[];
}
const expected: Expected = JSON.parse(await readFile(join(FIXTURES, 'tiny.json'), 'utf8'));

async function newFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'r1-gguf-'));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

test('a GGUF file becomes the folder that it was made from: tensors of every type bit by bit, rows in order, ids', async (t) => {
  const folder = await newFolder(t);
  const { dtypes } = await convertGguf(TINY, folder);
  assert.deepEqual(new Set(dtypes), new Set(['F32', 'F16', 'BF16', 'Q8_0', 'Q4_0', 'Q4_1']));
  const tensors = decodeSafetensors(await readFile(join(folder, 'model.safetensors')));
  assert.deepEqual([...tensors.keys()].sort(), Object.keys(expected.tensors).sort());
  for (const [name, { shape, sha256, first }] of Object.entries(expected.tensors)) {
    const tensor = tensors.get(name);
    assert.deepEqual(tensor?.shape, shape, name);
    assert.deepEqual([...tensor.data.subarray(0, 4)], first, name);
    assert.equal(
      createHash('sha256')
        .update(new Uint8Array(tensor.data.buffer, tensor.data.byteOffset, tensor.data.byteLength))
        .digest('hex'),
      sha256,
      name,
    );
  }
  const { config, tokenizer } = await readModelFolder(folder);
  assert.deepEqual(
    [config.rope_theta, config.rms_norm_eps, config.tie_word_embeddings, config.num_key_value_heads],
    [100_000, 1e-5, true, 2],
  );
  for (const { text, ids } of expected.encodings) {
    assert.deepEqual(tokenizer.encode(text), ids, text);
    assert.equal(tokenizer.decode(ids), text);
  }
  assert.equal(tokenizer.vocabSize, config.vocab_size - 4);
  assert.equal(
    tokenizer.decode(tokenizer.encodePrompt([{ role: 'user', content: 'hi' }])),
    '<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n',
  );
  assert.match(
    await readFile(join(folder, 'README.md'), 'utf8'),
    /license: apache-2\.0[\s\S]*tiny\.gguf.*Q4_1.* as float32/,
  );
});

test('weights beyond a file’s limit are written as several files with an index, and are the same weights', async (t) => {
  const [one, several] = [await newFolder(t), await newFolder(t)];
  await convertGguf(TINY, one);
  await convertGguf(TINY, several, { mostBytes: 50_000 });
  const files = (await readdir(several)).filter((name) => name.endsWith('.safetensors'));
  assert.ok(
    files.length > 1 && files.includes(`model-00001-of-0000${files.length}.safetensors`),
    files.join(),
  );
  assert.equal((await readModelFolder(several)).digest, (await readModelFolder(one)).digest);
});

test('a file that is cut short, damaged or of another kind is refused before anything is written', async (t) => {
  const bytes = await readFile(TINY);
  const replaced = (from: string, to: string) => {
    const copy = Buffer.from(bytes);
    const at = copy.indexOf(from);
    assert.ok(at > 0 && from.length === to.length, from);
    copy.write(to, at, 'latin1');
    return copy;
  };
  // The type of a tensor follows its name and two axes.
  const otherType = Buffer.from(bytes);
  otherType.writeUInt32LE(
    14,
    otherType.indexOf('blk.0.ffn_up.weight') + 'blk.0.ffn_up.weight'.length + 4 + 16,
  );
  const cases: [string, Uint8Array, RegExp][] = [
    [
      'weights cut short',
      bytes.subarray(0, bytes.length - 2_000),
      /cut short: expected at least \d+ bytes, found \d+/,
    ],
    ['header cut short', bytes.subarray(0, 3_000), /cut short/],
    ['another file', Buffer.from('a text that is no GGUF file'.repeat(40)), /expected a GGUF file.*damaged/],
    [
      'another architecture',
      replaced('\u0005\0\0\0\0\0\0\0llama', '\u0005\0\0\0\0\0\0\0gemma'),
      /general\.architecture: expected one of llama, qwen2, qwen3, found "gemma"/,
    ],
    ['another type', otherType, /ffn_up\.weight: expected one of the types F32.*found Q6_K/],
    [
      'another pre-tokenizer',
      replaced('smollm', 'falcon'),
      /tokenizer\.ggml\.pre: expected one of.*found "falcon"/,
    ],
    [
      'another tokenizer',
      replaced('\u0004\0\0\0\0\0\0\0gpt2', '\u0004\0\0\0\0\0\0\0bert'),
      /tokenizer\.ggml\.model: expected gpt2.*found "bert"/,
    ],
    [
      'a tensor twice',
      replaced('blk.0.attn_k.weight', 'blk.0.attn_q.weight'),
      /found blk\.0\.attn_q\.weight twice/,
    ],
    [
      'another tensor',
      replaced('blk.0.ffn_norm', 'blk.0.ffn_gone'),
      /expected the tensors of a llama model, found blk\.0\.ffn_gone/,
    ],
  ];
  for (const [name, content, message] of cases) {
    const folder = await newFolder(t);
    const path = join(folder, 'model.gguf');
    await writeFile(path, content);
    await assert.rejects(convertGguf(path, folder), { name: 'InputError', message }, name);
    assert.deepEqual(await readdir(folder), ['model.gguf'], name);
  }
});

const metadataOf = (architecture: string, more: Record<string, unknown> = {}) => ({
  'general.architecture': architecture,
  ...Object.fromEntries(
    Object.entries({
      block_count: 1,
      context_length: 4096,
      embedding_length: 64,
      feed_forward_length: 96,
      'attention.head_count': 4,
      'attention.head_count_kv': 2,
      'attention.layer_norm_rms_epsilon': Math.fround(1e-6),
      'rope.freq_base': 1_000_000,
      ...more,
    }).map(([key, value]) => [`${architecture}.${key}`, value]),
  ),
});

async function configFrom(metadata: Record<string, unknown>, tensors: string[] = []) {
  const file = {
    path: 'm.gguf',
    metadata,
    tensors: new Map(
      ['token_embd.weight', ...tensors].map((name) => [
        name,
        { name, type: 'F32' as const, shape: [320, 64], offset: 0 },
      ]),
    ),
  };
  return configOf(file, new Metadata(file));
}

test('Qwen2 and Qwen3 get their own configuration, scaled positions and the size of a head', async () => {
  const qwen3 = await configFrom(
    metadataOf('qwen3', {
      'attention.key_length': 128,
      'rope.scaling.type': 'yarn',
      'rope.scaling.factor': 4,
      'rope.scaling.original_context_length': 1024,
    }),
    ['output.weight'],
  );
  assert.deepEqual(
    [qwen3.architectures, qwen3.head_dim, qwen3.rms_norm_eps, qwen3.tie_word_embeddings, qwen3.rope_scaling],
    [
      ['Qwen3ForCausalLM'],
      128,
      1e-6,
      false,
      { rope_type: 'yarn', factor: 4, original_max_position_embeddings: 1024 },
    ],
  );
  const qwen2 = await configFrom(
    metadataOf('qwen2', { 'rope.scaling.type': 'linear', 'rope.scaling.factor': 2 }),
  );
  assert.deepEqual(
    [qwen2.model_type, qwen2.use_sliding_window, qwen2.rope_scaling],
    ['qwen2', false, { rope_type: 'linear', factor: 2 }],
  );
  for (const [more, message] of [
    [{ expert_count: 8 }, /expert_count: expected none, found 8/],
    [{ 'attention.head_count': [4, 2] }, /head_count: expected a number/],
    [
      { 'rope.scaling.type': 'longrope', 'rope.scaling.factor': 2 },
      /scaling\.type: expected none, linear or yarn/,
    ],
  ] as const)
    await assert.rejects(configFrom(metadataOf('qwen2', more)), { name: 'InputError', message });
});

test('the divisors of Llama 3 are those that its converter writes', () => {
  const divisors = llama3Divisors(32, 64, 500_000);
  assert.deepEqual([divisors[0], divisors.at(-1)], [1, 32]);
  assert.ok(divisors.every((value, index) => index === 0 || value >= (divisors[index - 1] ?? 0)));
});

test('a pre-tokenizer splits as the tokenizer that it is named after', () => {
  const of = (pre: string) =>
    JSON.stringify(
      tokenizerOf({
        path: 'm.gguf',
        metadata: {
          'tokenizer.ggml.model': 'gpt2',
          'tokenizer.ggml.pre': pre,
          'tokenizer.ggml.tokens': ['a', '<e>'],
          'tokenizer.ggml.token_type': [1, 3],
          'tokenizer.ggml.merges': [],
          'tokenizer.ggml.eos_token_id': 1,
        },
      }).tokenizer,
    );
  assert.match(of('llama-bpe'), /p\{N\}\{1,3\}.*"ignore_merges":true/);
  assert.match(of('qwen2'), /"NFC".*\|\\\\p\{N\}\| .*"ignore_merges":false/);
  assert.match(of('smollm'), /"individual_digits":true/);
});

import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { importBase } from '../../../activities/checkpoints/import-base.ts';
import { readCheckpoint } from '../../../activities/checkpoints/read-checkpoint.ts';
import type { PretrainOptions } from '../../../contracts/pretrain.ts';
import { manifestSchema } from '../../../contracts/training.ts';
import { initialWeights } from '../../../engine/model/initial-weights.ts';
import { nanoModelConfig, writeNanoBase } from '../../../engine/model/nano-base.ts';
import { digestTensors } from '../../../engine/weights/digest.ts';
import { readModelFolder } from '../../../engine/weights/model-folder.ts';
import { encodeSafetensors } from '../../../engine/weights/safetensors.ts';
import { memoryObjects, temporaryCache } from '../memory-objects.ts';

const architecture: PretrainOptions['architecture'] = {
  num_hidden_layers: 1,
  hidden_size: 16,
  intermediate_size: 16,
  num_attention_heads: 2,
  num_key_value_heads: 1,
  head_dim: 8,
  max_position_embeddings: 32,
  rms_norm_eps: 1e-5,
  rope_theta: 10_000,
  tie_word_embeddings: true,
  initializer_range: 0.02,
};
const config = nanoModelConfig(architecture);
const weights = initialWeights(config, 1n);

/** A model's folder with weights just drawn, gone when the test ends. */
async function modelFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'r1-model-'));
  t.after(() => rm(folder, { recursive: true }));
  await writeNanoBase(folder, config, { weights, record: record(digestTensors(weights)) });
  return folder;
}

const record = (digest: string) => ({
  options: {
    seed: 1,
    architecture,
    mixture: {
      terms: 4,
      limit: 20,
      general: 0,
      distracted: 0,
      guesses: 1,
      worked: 0,
      guess_range: 1,
      malformed: 0,
      home: 1,
      foreign: 0,
      home_slips: 0,
      foreign_slips: 0,
      recheck: 0,
      slip_range: 1,
    },
    optimiser: {
      learning_rate: 1e-3,
      min_lr_rate: 0.1,
      warmup_steps: 0,
      max_grad_norm: 1,
      weight_decay: 0,
      adam_beta1: 0.9,
      adam_beta2: 0.999,
      adam_epsilon: 1e-8,
    },
    max_steps: 1,
    batch_size: 1,
  },
  numerics: {
    engine: 'onnxruntime',
    version: '1',
    device: 'cpu',
    instructionSet: 'avx2' as const,
    threads: 1,
    deterministic: true,
  },
  parameters: 1,
  digests: { 0: digest },
  loss: 1,
  tokens: 1,
});

async function imported(t: TestContext) {
  const objects = memoryObjects();
  const model = await readModelFolder(await modelFolder(t));
  return { objects, model, base: await importBase({ objects }, model) };
}

test('an imported base is read back with the same digest, configuration and files', async (t) => {
  const { objects, model, base } = await imported(t);
  const read = await readCheckpoint({ objects, cache: temporaryCache() }, base.manifest);
  assert.equal(read.digest, base.digests.weights);
  assert.deepEqual(read.config, model.config);
  assert.deepEqual([...read.files.keys()].sort(), [...model.files.keys()].sort());
});

test('a base imported twice is the same objects', async (t) => {
  const { objects, model, base } = await imported(t);
  const before = objects.stored.size;
  assert.deepEqual(await importBase({ objects }, model), base);
  assert.equal(objects.stored.size, before);
});

test('equal weights beside another model card are another manifest of the same digest', async (t) => {
  const { objects, model, base } = await imported(t);
  const files = new Map([...model.files, ['README.md', new TextEncoder().encode('other')]]);
  const other = await importBase({ objects }, { ...model, files });
  assert.notEqual(other.manifest.uri, base.manifest.uri);
  assert.deepEqual(other.digests, base.digests);
});

test('a flipped byte of any object is refused by its name', async (t) => {
  const { objects, base } = await imported(t);
  for (const [uri, bytes] of objects.stored) {
    const last = bytes.length - 1;
    bytes[last] = (bytes[last] ?? 0) ^ 1;
    await assert.rejects(
      readCheckpoint({ objects, cache: temporaryCache() }, base.manifest),
      (error: Error) => {
        return error.name === 'CorruptObject' && error.message.includes(uri);
      },
    );
    bytes[last] = (bytes[last] ?? 0) ^ 1;
  }
});

/** Writes the base's manifest anew, with other weights than its own. */
async function readWithWeights(t: TestContext, bytes: Uint8Array) {
  const { objects, base } = await imported(t);
  const { bytes: text } = await objects.getByUri(base.manifest.uri);
  const manifest = manifestSchema.parse(JSON.parse(new TextDecoder().decode(text)));
  const at = await objects.put('model', bytes);
  manifest.files['model.safetensors'] = at;
  const changed = await objects.put('manifest', new TextEncoder().encode(JSON.stringify(manifest)));
  return readCheckpoint({ objects, cache: temporaryCache() }, changed);
}

test('a checkpoint without one of its tensors is refused', async (t) => {
  const lacking = new Map([...weights].filter(([name]) => name !== 'model.norm.weight'));
  await assert.rejects(readWithWeights(t, encodeSafetensors(lacking)), {
    name: 'WeightsError',
    message: /lacks the tensor model\.norm\.weight/,
  });
});

test('whole weights of another digest than the manifest’s are refused', async (t) => {
  await assert.rejects(readWithWeights(t, encodeSafetensors(initialWeights(config, 2n))), {
    name: 'CorruptObject',
    message: /expected weights with digest [0-9a-f]{64}, found [0-9a-f]{64}/,
  });
});

test('a folder whose weights are not those that it declares is refused', async (t) => {
  const folder = await modelFolder(t);
  const path = join(folder, 'model.safetensors');
  const bytes = await readFile(path);
  bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1);
  await writeFile(path, bytes);
  await assert.rejects(readModelFolder(folder), {
    name: 'WeightsError',
    message: /expected the weights [0-9a-f]{64} that pretraining\.json names/,
  });
});

test('a folder that is none, or lacks a file, is refused by name', async (t) => {
  await assert.rejects(readModelFolder('/nowhere'), { name: 'ModelConfigError', message: /\/nowhere/ });
  for (const [file, name] of [
    ['config.json', 'ModelConfigError'],
    ['tokenizer.json', 'TokenizerError'],
    ['model.safetensors', 'WeightsError'],
  ] as const) {
    const folder = await modelFolder(t);
    await rm(join(folder, file));
    await assert.rejects(readModelFolder(folder), { name }, file);
  }
});

const json = (bytes: Uint8Array | undefined) => JSON.parse(new TextDecoder().decode(bytes));

test('the configuration says the type that the weights are kept in, whatever the base was published in', async (t) => {
  const folder = await modelFolder(t);
  const own = JSON.parse(await readFile(join(folder, 'config.json'), 'utf8'));
  const published = { ...own, dtype: 'bfloat16', torch_dtype: 'float16' };
  await writeFile(join(folder, 'config.json'), JSON.stringify(published));
  const model = await readModelFolder(folder);
  assert.deepEqual(json(model.files.get('config.json')), own);
  const objects = memoryObjects();
  const base = await importBase({ objects }, model);
  // A checkpoint of an earlier release carries the base's own file.
  const { bytes: text } = await objects.getByUri(base.manifest.uri);
  const manifest = manifestSchema.parse(json(text));
  manifest.files['config.json'] = await objects.put(
    'config',
    new TextEncoder().encode(JSON.stringify(published)),
  );
  const earlier = await objects.put('manifest', new TextEncoder().encode(JSON.stringify(manifest)));
  assert.deepEqual(
    json((await readCheckpoint({ objects, cache: temporaryCache() }, earlier)).files.get('config.json')),
    own,
  );
});

test('weights that are not finite are refused with their place', async (t) => {
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    const damaged = new Map(weights);
    const [name = '', first = assert.fail()] = [...weights][1] ?? [];
    const data = first.data.slice();
    data[3] = value;
    damaged.set(name, { ...first, data });
    await assert.rejects(readWithWeights(t, encodeSafetensors(damaged)), (error: Error) => {
      assert.equal(error.name, 'WeightsError');
      assert.match(
        error.message,
        new RegExp(`finite numbers in tensor ${name}, found ${value} at element 3`),
      );
      return true;
    });
  }
});

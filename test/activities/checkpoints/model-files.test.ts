/** A model in several files and in bfloat16, from its folder to a trained checkpoint. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { readManifest } from '../../../activities/checkpoints/checkpoint-files.ts';
import { importBase } from '../../../activities/checkpoints/import-base.ts';
import { readCheckpoint } from '../../../activities/checkpoints/read-checkpoint.ts';
import type { Dtype, Tensor } from '../../../contracts/format/dtypes.ts';
import { encodeSafetensors } from '../../../contracts/format/safetensors.ts';
import { digestTensors } from '../../../engine/weights/digest.ts';
import { readAnyModelFolder, readModelFolder } from '../../../engine/weights/model-folder.ts';
import { memoryObjects, temporaryCache } from '../memory-objects.ts';
import {
  PUBLISHED_FILES,
  publishedFiles,
  publishedHalf,
  publishedMap,
  publishedTensors,
} from '../tiny-policy.ts';

const tensors = publishedTensors();
const names = [...tensors.keys()];
const FILES = PUBLISHED_FILES;
const INDEX = 'model.safetensors.index.json';
const halfOf = publishedHalf;
const weightMap = publishedMap;
const indexText = (weight_map: object) => JSON.stringify({ metadata: {}, weight_map });

/** A folder with a model as it is published: in bfloat16, in two files. */
async function published(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'r1-published-'));
  t.after(() => rm(folder, { recursive: true }));
  for (const [name, bytes] of publishedFiles()) await writeFile(join(folder, name), bytes);
  return folder;
}

test('a model in several files is kept as it was published, its digest over the stored dtype', async (t) => {
  const folder = await published(t);
  const model = await readModelFolder(folder);
  assert.equal(model.digest, digestTensors(tensors));
  assert.deepEqual((await readAnyModelFolder(folder)).digest, model.digest);
  const objects = memoryObjects();
  const base = await importBase({ objects }, model);
  assert.deepEqual(await importBase({ objects }, model), base);
  const { files } = await readManifest(objects, base.manifest);
  for (const name of [...FILES, INDEX, 'config.json']) {
    const { uri } = files[name] ?? assert.fail(name);
    assert.deepEqual(Buffer.from(objects.stored.get(uri) ?? []), await readFile(join(folder, name)), name);
  }
  const cache = temporaryCache();
  const read = await readCheckpoint({ objects, cache }, base.manifest);
  assert.deepEqual([read.digest, read.config], [model.digest, model.config]);
});

const nan = (dtype: Dtype) => (dtype === 'BF16' ? Uint16Array.of(0x7fc0) : Uint16Array.of(0x7e00));

test('a damaged model of several files is refused by its file and tensor', async (t) => {
  const [first = '', second = ''] = names;
  const last = names.at(-1) ?? '';
  const without = new Map([...halfOf(1)].filter(([name]) => name !== last));
  const bent = new Map(halfOf(0)).set(first, { dtype: 'BF16', shape: [1], data: Uint16Array.of(0) });
  const strange = (dtype: 'BF16' | 'F16') => {
    const { shape, data } = halfOf(0).get(second) as Tensor<'BF16'>;
    return new Map(halfOf(0)).set(second, {
      dtype,
      shape,
      data: Uint16Array.from([...nan(dtype), ...data.slice(1)]),
    });
  };
  const written = (file: number, map: Map<string, Tensor>) => async (folder: string) =>
    await writeFile(join(folder, FILES[file] ?? ''), encodeSafetensors(map));
  const indexed = (text: string) => (folder: string) => writeFile(join(folder, INDEX), text);
  const cases: [what: string, change: (folder: string) => Promise<void>, message: RegExp][] = [
    ['a file missing', (folder) => rm(join(folder, FILES[1])), /names the shard model-00002-of-00002/],
    [
      'a file cut short',
      async (folder) => {
        const bytes = await readFile(join(folder, FILES[1]));
        await writeFile(join(folder, FILES[1]), bytes.subarray(0, -2));
      },
      /00002-of-00002\.safetensors: truncated within tensor/,
    ],
    [
      'a tensor of another shape',
      written(0, bent),
      /expected shape \[\d+,16\] from config\.json, found \[1\]/,
    ],
    [
      'a tensor in both files',
      written(1, new Map([...halfOf(1), ...halfOf(0)])),
      /which .* lists in model-00001/,
    ],
    [
      'a tensor missing in its file',
      written(1, without),
      new RegExp(`lacks tensor ${last.replaceAll('.', '\\.')}`),
    ],
    [
      'a tensor twice in the index',
      indexed(indexText(weightMap()).replace('{"model', `{"${last}":"${FILES[1]}","model`)),
      /index\.json: expected an index of shards.*twice/,
    ],
    [
      'NaN in bfloat16',
      written(0, strange('BF16')),
      /expected finite numbers in tensor .*, found NaN at element 0/,
    ],
    [
      'NaN in float16',
      written(0, strange('F16')),
      /expected finite numbers in tensor .*, found NaN at element 0/,
    ],
  ];
  for (const [what, change, message] of cases) {
    const folder = await published(t);
    await change(folder);
    await assert.rejects(readModelFolder(folder), { name: 'WeightsError', message }, what);
  }
});

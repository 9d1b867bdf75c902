import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { hubRepository, locateModel } from '../../../cli/models/model-location.ts';
import { PROJECT_ROOT } from '../../../infra/paths.ts';

const kindOf = async (name: string) => (await locateModel(name)).kind;

test('names of runs and their checkpoints are told from names of repositories', async () => {
  const checkpoints = [
    'nano-zero-1',
    'latest',
    'nano-zero-1/zero',
    'r/distill/small@40',
    'r@0',
    's3://b/m.json',
    'r/zeroo',
  ];
  for (const name of checkpoints) assert.equal(await kindOf(name), 'checkpoint', name);
  const repositories = ['HuggingFaceTB/SmolLM2-135M', 'meta-llama/llama-3.2-1b', 'Qwen/Qwen3-0.6B', 'a/b'];
  for (const name of repositories)
    assert.deepEqual(await locateModel(name), { kind: 'hub', repository: name }, name);
});

test('an address of the hub names its repository', () => {
  for (const address of [
    'https://huggingface.co/org/model',
    'https://huggingface.co/org/model/',
    'https://huggingface.co/org/model/tree/main',
    'https://huggingface.co/org/model/blob/main/config.json',
    'https://hf.co/org/model',
    'hf://org/model',
  ])
    assert.equal(hubRepository(address), 'org/model', address);
  for (const other of [
    '../models/base',
    '/models/base',
    'model',
    'a/b/c',
    './a/b',
    'https://example.com/a/b',
  ])
    assert.equal(hubRepository(other), null, other);
});

test('a folder is a model’s, or says what lies in it instead', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'r1-place-'));
  t.after(() => rm(folder, { recursive: true }));
  const hold = async (name: string, ...files: string[]) => {
    await mkdir(join(folder, name));
    for (const file of files) await writeFile(join(folder, name, file), '');
    return locateModel(join(folder, name));
  };
  assert.equal(await kindOf(join(PROJECT_ROOT, 'models/nano-base')), 'folder');
  // Both forms beside each other: the one that is read.
  assert.equal((await hold('both', 'config.json', 'model.gguf')).kind, 'folder');
  const found = async (name: string, ...files: string[]) => {
    const place = await hold(name, ...files);
    return place.kind === 'other' ? place.found : place.kind;
  };
  assert.match(await found('gguf', 'model.Q4_K_M.gguf'), /with GGUF files/);
  assert.match(
    await found('lora', 'adapter_config.json', 'adapter_model.safetensors'),
    /an adapter \(LoRA\)/,
  );
  assert.match(await found('cache', 'snapshots', 'refs'), /the Hub’s cache of a repository/);
  // Whoever reads it says what an empty folder lacks.
  assert.equal(await found('empty'), 'folder');
});

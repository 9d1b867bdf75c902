import assert from 'node:assert/strict';
import { cp, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { readCheckpoint } from '../../../../activities/checkpoints/read-checkpoint.ts';
import { resolveModels } from '../../../../cli/launch/resolve.ts';
import { openAdded } from '../../../../cli/models/open-model.ts';
import { addFrom, nameOf } from '../../../../cli/models/sources/add-model.ts';
import { documentOf } from '../../../../cli/models/sources/commands.ts';
import { parseOverride } from '../../../../cli/recipe/overrides.ts';
import { readRecipe } from '../../../../cli/recipe/recipe-file.ts';
import { type Connections, withConnections } from '../../../../cli/stack/connections.ts';
import { MIGRATIONS, PROJECT_ROOT } from '../../../../infra/paths.ts';
import { listModels } from '../../../../stores/data/models.ts';
import { migrate } from '../../../../stores/database/migrate.ts';
import { withStack } from '../../../helpers/stack.ts';

const NANO_BASE = join(PROJECT_ROOT, 'models/nano-base');

async function folderOf(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'r1-source-'));
  t.after(() => rm(folder, { recursive: true }));
  await cp(NANO_BASE, folder, { recursive: true });
  return folder;
}

async function edit(folder: string, name: string, change: (json: Record<string, unknown>) => void) {
  const json = JSON.parse(await readFile(join(folder, name), 'utf8'));
  change(json);
  await writeFile(join(folder, name), JSON.stringify(json));
}

async function withStores(t: TestContext, work: (connections: Connections) => Promise<void>) {
  const stack = await withStack(t);
  await withConnections(async (connections) => {
    await migrate(await connections.database(), MIGRATIONS);
    await work(connections);
  }, stack);
}

const quiet = { onProgress: () => undefined };

test('the name of a model is made from its source', () => {
  const names = {
    'Qwen/Qwen2.5-0.5B': 'qwen2-5-0-5b',
    '/m/SmolLM2-135M-Instruct.Q4_1.gguf': 'smollm2-135m-instruct-q4-1',
    './models/nano-base/': 'nano-base',
  };
  for (const [source, name] of Object.entries(names)) assert.equal(nameOf(source), name, source);
});

test('a folder is added under a name, once, and is the base of a recipe and the model of a command', async (t) => {
  const folder = await folderOf(t);
  await withStores(t, async (connections) => {
    const [database, objects] = [await connections.database(), await connections.objects()];
    const { model, isNew } = await addFrom(folder, { name: 'tiny', ...quiet }, connections);
    assert.ok(isNew);
    const document = await documentOf(model, objects);
    const { architecture, parameters, dtypes, license, embedded, source } = document;
    assert.deepEqual(
      { architecture, dtypes, license, embedded, source },
      {
        architecture: 'LlamaForCausalLM',
        dtypes: ['F32'],
        license: 'apache-2.0',
        embedded: null,
        source: folder,
      },
    );
    assert.ok(parameters > 500_000, String(parameters));

    const again = await addFrom(folder, { name: 'tiny', ...quiet }, connections);
    assert.deepEqual(again, { model, isNew: false });

    const recipe = (base: string) =>
      readRecipe(join(PROJECT_ROOT, 'recipes/nano-zero.yaml'), [parseOverride(`base=${base}`)]);
    const at = () => '';
    const { base } = await resolveModels({ ...(await recipe('tiny')), at, ...connections });
    assert.equal(base.digest, model.digest);
    await assert.rejects(resolveModels({ ...(await recipe('tinny')), at, ...connections }), /tinny/);

    const opened = await openAdded('tiny', connections, readCheckpoint);
    assert.equal(opened?.model.digest, model.digest);

    await edit(folder, 'tokenizer_config.json', (json) => {
      json.extra = 1;
    });
    await assert.rejects(addFrom(folder, { name: 'tiny', ...quiet }, connections), {
      kind: 'InvalidInput',
      message: /model tiny: expected the files .* found others .*--name/,
    });
    assert.equal((await listModels(database)).length, 1);
  });
});

test('a model that the embedded engine cannot compute is kept, with the reason', async (t) => {
  const folder = await folderOf(t);
  await edit(folder, 'config.json', (json) => {
    json.hidden_act = 'gelu';
    json.architectures = ['OtherForCausalLM'];
  });
  await withStores(t, async (connections) => {
    const { model } = await addFrom(folder, { name: 'other', ...quiet }, connections);
    assert.equal(model.architecture, 'OtherForCausalLM');
    const { embedded } = await documentOf(model, await connections.objects());
    assert.match(embedded ?? '', /OtherForCausalLM|gelu/);
  });
});

test('a damaged folder is refused before anything is stored', async (t) => {
  const folder = await folderOf(t);
  await withStores(t, async (connections) => {
    const refused = (expected: RegExp) =>
      assert.rejects(addFrom(folder, { name: 'bad', ...quiet }, connections), { message: expected });
    await edit(folder, 'config.json', (json) => {
      json.vocab_size = 3;
      json.hidden_act = 'gelu';
    });
    await refused(/expected a tokenizer of at most 3 tokens/);
    await cp(join(NANO_BASE, 'config.json'), join(folder, 'config.json'));
    await truncate(join(folder, 'model.safetensors'), 1_000_000);
    await refused(/truncated/);
    assert.deepEqual(await listModels(await connections.database()), []);
    assert.deepEqual(await (await connections.objects()).list('models/'), []);
  });
});

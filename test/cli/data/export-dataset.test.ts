import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';
import type { WatchedStores } from '../../../activities/dependencies.ts';
import { buildDataset } from '../../../activities/orchestrator/examples/build-dataset.ts';
import { selectSamples } from '../../../activities/orchestrator/examples/select-samples.ts';
import { type OpenR1Row, openR1Rows, writeRows } from '../../../cli/data/export-dataset.ts';
import { findDataset } from '../../../stores/data/datasets.ts';
import { createExampleSet } from '../../../stores/data/example-sets.ts';
import { right, rule, sampledPart, storesWithRun } from '../../activities/sampled-part.ts';
import { BRANCH } from '../../stores/helpers.ts';

async function folderOf(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'r1-dataset-'));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

/** One sample and one example. */
async function rowsOf(stores: WatchedStores): Promise<() => AsyncGenerator<OpenR1Row>> {
  const included = await createExampleSet(stores.database, stores.objects, {
    name: 'seeds',
    rows: [{ problem: 'copy €', response: '€', domain: 'general', source: 's.jsonl', line: 1 }],
  });
  await selectSamples(stores, await sampledPart(stores, 0, [right('one')]));
  const input = { key: BRANCH, name: 'calm/zero', rule, parts: 1, include: [included.digest] };
  await buildDataset(stores, input);
  const dataset = await findDataset(stores.database, 'calm/zero');
  return () => openR1Rows(stores.database, stores.objects, dataset);
}

const sampled = {
  problem: '1+0',
  solution: '1',
  answer: '1',
  problem_type: 'math',
  source: 'calm/zero',
  generations: [right('one').text],
  correctness_math_verify: [true],
  finish_reasons: ['stop'],
  messages: [
    { role: 'user', content: '1+0' },
    { role: 'assistant', content: right('one').text },
  ],
};

test('JSON lines and Parquet hold the same rows under the names of Open-R1', async (t) => {
  const folder = await folderOf(t);
  const rows = await rowsOf(await storesWithRun(t));
  const [lines, parquet] = ['a.jsonl', 'a.parquet'].map((name) => join(folder, name));
  assert(lines !== undefined && parquet !== undefined);
  await writeRows(lines, rows());
  await writeRows(parquet, rows());
  const read = (await readFile(lines, 'utf8'))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  const [{ uuid, ...first }, second] = read;
  assert.deepEqual(first, sampled);
  assert.match(uuid, /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.deepEqual(
    [second.solution, second.answer, second.source, second.correctness_math_verify, second.finish_reasons],
    ['€', '', 's.jsonl', [null], [null]],
  );
  const again = await parquetReadObjects({ file: await asyncBufferFromFile(parquet) });
  assert.deepEqual(JSON.parse(JSON.stringify(again)), read);
  assert.deepEqual((await readdir(folder)).sort(), ['a.jsonl', 'a.parquet']);
});

test('a file that is there, a name of no known kind and a missing folder are refused', async (t) => {
  const folder = await folderOf(t);
  const none = async function* () {};
  await writeFile(join(folder, 'a.jsonl'), '');
  await assert.rejects(writeRows(join(folder, 'a.jsonl'), none()), {
    name: 'InputError',
    message: /expected a new file/,
  });
  await assert.rejects(writeRows(join(folder, 'a.csv'), none()), { message: /ends in \.jsonl or \.parquet/ });
  await assert.rejects(writeRows(join(folder, 'no/a.jsonl'), none()), { name: 'InputError' });
});

test('an export that fails leaves no file behind', async (t) => {
  const folder = await folderOf(t);
  for (const name of ['a.jsonl', 'a.parquet']) {
    const broken = async function* () {
      yield* [];
      throw new Error('a text is not there');
    };
    await assert.rejects(writeRows(join(folder, name), broken()), /a text is not there/);
  }
  assert.deepEqual(await readdir(folder), []);
});

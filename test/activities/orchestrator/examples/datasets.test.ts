import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WatchedStores } from '../../../../activities/dependencies.ts';
import { buildDataset } from '../../../../activities/orchestrator/examples/build-dataset.ts';
import { selectSamples } from '../../../../activities/orchestrator/examples/select-samples.ts';
import { countExamples, diffRows, readExamples } from '../../../../stores/data/dataset-rows.ts';
import { findDataset, freezeDataset, readOrigins } from '../../../../stores/data/datasets.ts';
import { createExampleSet } from '../../../../stores/data/example-sets.ts';
import { promptHash } from '../../../../stores/data/prompts.ts';
import { listSamples } from '../../../../stores/data/samples.ts';
import { forkBranch } from '../../../../stores/runs/rewind.ts';
import { BRANCH, digest, failure, KEY, prompts } from '../../../stores/helpers.ts';
import { right, rule, sampledPart, storesWithRun, wrong } from '../../sampled-part.ts';

const error = { text: '?', accuracy: { error: { kind: 'timeout', message: 'no \0 \ud800 answer' } } };
const FIRST = [right('a'), wrong, error, right('b')];

const build = (parts: number, include: string[] = []) => ({
  key: BRANCH,
  name: 'calm/zero',
  rule,
  parts,
  include,
});

async function twoParts(stores: WatchedStores): Promise<void> {
  await selectSamples(stores, await sampledPart(stores, 0, FIRST));
  await selectSamples(stores, await sampledPart(stores, 1, [right('c'), right('d')]));
}

const seeds = (database: WatchedStores) =>
  createExampleSet(database.database, database.objects, {
    name: 'seeds',
    rows: [
      {
        problem: 'copy ab',
        response: '<think></think><answer>ab</answer>',
        domain: 'general',
        source: 's.jsonl',
        line: 1,
      },
      {
        problem: 'copy €',
        response: '<think></think><answer>€</answer>',
        domain: 'general',
        source: 's.jsonl',
        line: 2,
      },
    ],
  });

test('every sample of a rollout becomes a row, accepted or with the reason why not', async (t) => {
  const stores = await storesWithRun(t);
  const counts = await selectSamples(stores, await sampledPart(stores, 0, FIRST));
  assert.deepEqual(counts, { sampled: 4, correct: 2, kept: 2, rejected: { error: 1, incorrect: 1 } });
  const rows = await listSamples(stores.database, KEY.run, { limit: 10 });
  assert.deepEqual(
    rows.map(({ sequence, reason }) => [sequence, reason]),
    [
      [0, null],
      [1, 'incorrect'],
      [2, 'error'],
      [3, null],
    ],
  );
  const [first, , third] = rows;
  assert.equal(first?.seed, '18446744073709551615');
  assert.deepEqual(first?.rewards, { accuracy: { score: 1, version: 3 }, format: { score: 1, version: 1 } });
  assert.deepEqual([first?.policy, first?.sourceStage], [digest('w0'), 'zero']);
  assert.deepEqual(third?.rewards.accuracy, {
    error: { kind: 'timeout', message: 'no \uFFFD \uFFFD answer' },
    version: 3,
  });
});

test('a part selected again answers from its rows; of another rollout or rule it is a contradiction', async (t) => {
  const stores = await storesWithRun(t);
  const input = await sampledPart(stores, 0, FIRST);
  const counts = await selectSamples(stores, input);
  assert.deepEqual(await selectSamples(stores, input), counts);
  assert.equal((await listSamples(stores.database, KEY.run, { limit: 10 })).length, 4);
  const other = await sampledPart(stores, 0, [right('x'), right('y')]);
  await assert.rejects(selectSamples(stores, other), failure('Contradiction', 'part 0', 'rollout', 'scores'));
  const strict = { ...input, rule: { ...rule, per_prompt: 1 } };
  await assert.rejects(selectSamples(stores, strict), failure('Contradiction', 'rule', 'per_prompt'));
});

test('completions of another policy are refused before a row is written', async (t) => {
  const stores = await storesWithRun(t);
  const input = await sampledPart(stores, 0, FIRST);
  const digests = { ...input.from.checkpoint.digests, weights: digest('w9') };
  const from = { ...input.from, checkpoint: { ...input.from.checkpoint, digests } };
  await assert.rejects(
    selectSamples(stores, { ...input, from }),
    failure('Contradiction', digest('w9'), digest('w0')),
  );
  const needy = { ...input, rule: { ...rule, min_language_share: 0.9 } };
  await assert.rejects(selectSamples(stores, needy), failure('InvalidInput', 'language', 'accuracy, format'));
  assert.deepEqual(await listSamples(stores.database, KEY.run, { limit: 10 }), []);
});

test('a stage that was rewound takes no samples on its old branch', async (t) => {
  const stores = await storesWithRun(t);
  const input = await sampledPart(stores, 0, FIRST);
  await forkBranch(stores.database, KEY, 0);
  await assert.rejects(selectSamples(stores, input), failure('SupersededTerm', 'branch 1'));
});

test('a data set is the accepted samples in order, then the included examples, and reads back as such', async (t) => {
  const stores = await storesWithRun(t);
  await twoParts(stores);
  const examples = await seeds(stores);
  const built = await buildDataset(stores, build(2, [examples.digest]));
  assert.deepEqual([built.name, built.version, built.rows], ['calm/zero', 1, 6]);
  assert.equal(await countExamples(stores.database, built.digest), 6);
  const read = await readExamples(stores.database, stores.objects, built.digest, [5, 0, 2, 0]);
  assert.deepEqual(
    read.map(({ response }) => response),
    ['<think></think><answer>€</answer>', right('a').text, right('c').text, right('a').text],
  );
  const [prompt] = prompts(1);
  assert(prompt !== undefined);
  const { problem, domain } = prompt;
  assert.deepEqual(read[1], { problem, response: right('a').text, domain, promptHash: promptHash(prompt) });
});

test('the same content is the same version; other content is the next', async (t) => {
  const stores = await storesWithRun(t);
  await twoParts(stores);
  const examples = await seeds(stores);
  assert.deepEqual(await seeds(stores), examples);
  const first = await buildDataset(stores, build(2));
  assert.deepEqual(await buildDataset(stores, build(2)), first);
  const other = { ...build(1), key: await forkBranch(stores.database, KEY, 0) };
  await selectSamples(stores, { ...(await sampledPart(stores, 0, FIRST)), key: other.key });
  const second = await buildDataset(stores, other);
  assert.deepEqual([second.version, second.rows], [2, 2]);
  assert.notEqual(second.digest, first.digest);
});

test('a branch that builds otherwise under the same name parks', async (t) => {
  const stores = await storesWithRun(t);
  await twoParts(stores);
  await buildDataset(stores, build(2));
  await assert.rejects(buildDataset(stores, build(1)), failure('Contradiction', 'calm/zero', 'of 2 parts'));
  await assert.rejects(buildDataset(stores, build(3)), failure('HistoryAhead', '0 to 2', 'found 0, 1'));
});

test('where the rule kept nothing there is no data set, and the reasons are told', async (t) => {
  const stores = await storesWithRun(t);
  await selectSamples(stores, await sampledPart(stores, 0, [wrong, error]));
  const examples = await seeds(stores);
  await assert.rejects(
    buildDataset(stores, build(1, [examples.digest])),
    failure('EmptyBatch', 'none of 2', 'error 1', 'incorrect 1', 'r1 samples', 'Most were refused by'),
  );
});

test('a data set that a rule left empty names the rule and a sample that it refused', async (t) => {
  const stores = await storesWithRun(t);
  await selectSamples(stores, await sampledPart(stores, 0, [wrong, wrong]));
  await assert.rejects(
    buildDataset(stores, build(1)),
    failure('EmptyBatch', 'keep.min_accuracy: 1: sample 0/0, to "1+0", has accuracy 0'),
  );
});

test('a frozen data set, and its rows, cannot be changed by any statement', async (t) => {
  const stores = await storesWithRun(t);
  const { database } = stores;
  await twoParts(stores);
  const { digest: built } = await buildDataset(stores, build(2));
  await freezeDataset(database, built);
  const { id, frozenAt } = await findDataset(database, 'calm/zero@1');
  await freezeDataset(database, built);
  assert.equal((await findDataset(database, 'calm/zero')).frozenAt, frozenAt);
  for (const statement of [
    `UPDATE datasets SET rule = '{}' WHERE id = ${id}`,
    `DELETE FROM datasets WHERE id = ${id}`,
    `DELETE FROM dataset_rows WHERE dataset = ${id} AND ordinal = 0`,
    `INSERT INTO dataset_rows SELECT dataset, 99, part, sequence, example FROM dataset_rows WHERE ordinal = 0`,
  ]) {
    await assert.rejects(database.query(statement), /calm\/zero@1 is frozen/, statement);
  }
  await assert.rejects(database.query('UPDATE dataset_rows SET ordinal = 7'), /never changed/);
  await assert.rejects(freezeDataset(database, digest('no')), failure('InvalidInput', 'r1 datasets'));
});

test('a text that is not the one its row names is refused', async (t) => {
  const stores = await storesWithRun(t);
  await twoParts(stores);
  const { digest: built } = await buildDataset(stores, build(2));
  await stores.database.query('UPDATE samples SET text_offset = text_offset + 1 WHERE sequence = 0');
  await assert.rejects(
    readExamples(stores.database, stores.objects, built, [0]),
    failure('CorruptObject', 'expected a text with sha256'),
  );
  await assert.rejects(
    readExamples(stores.database, stores.objects, built, [4]),
    failure('InvalidInput', '0 to 3'),
  );
});

test('two data sets differ by the rows that one has more often than the other', async (t) => {
  const { database, objects } = await storesWithRun(t);
  const setOf = async (name: string, problems: string[]) => {
    const rows = problems.map((problem, n) => ({
      problem,
      response: `<think></think><answer>${problem}</answer>`,
      domain: 'general',
      source: 's.jsonl',
      line: n + 1,
    }));
    await createExampleSet(database, objects, { name, rows });
    return (await findDataset(database, name)).id;
  };
  const [first, second] = [await setOf('first', ['a', 'b', 'b', 'c']), await setOf('second', ['b', 'd'])];
  assert.deepEqual(await diffRows(database, first, second), { common: 1, onlyFirst: 3, onlySecond: 1 });
});

test('a data set tells who sampled it and what was joined', async (t) => {
  const stores = await storesWithRun(t);
  await twoParts(stores);
  const { digest: joined } = await seeds(stores);
  await buildDataset(stores, build(2, [joined]));
  const { sampledBy, included } = await readOrigins(
    stores.database,
    await findDataset(stores.database, 'calm/zero'),
  );
  assert.deepEqual(sampledBy, ['calm/zero']);
  assert.deepEqual(included, [{ name: 'seeds', version: 1, rows: 2 }]);
});

/** What a dry run counts is what a run then does: objects, rows and events of a small recipe, trained through. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { dryRun } from '../../cli/launch/dry-run.ts';
import type { DryRunDocument } from '../../contracts/documents.ts';
import { recipeSchema } from '../../contracts/recipe.ts';
import { stageWorkflowId } from '../../contracts/workflows.ts';
import { awaitRest, type Ground, launchRun, openGround, startCrew } from './ground.ts';

const RUN = 'counted';
/** From the rollout that begins here on completions are shorter. */
const LIMITED_STEP = 5;
const LIMIT = 4;

const optimiser = { learning_rate: 1e-3, save_steps: 2 };

const recipe = (base: string) =>
  recipeSchema.parse({
    name: 'counted',
    seed: 7,
    base,
    prompts: { source: 'nano-sums', terms: 2, limit: 6, train: 20, test: 1 },
    evaluation: { problems: 1, k: 2, quick_problems: 1, quick_k: 2, max_completion_length: 16 },
    stages: [
      {
        stage: 'zero',
        algorithm: 'grpo',
        options: {
          ...optimiser,
          max_steps: 6,
          eval_steps: 2,
          prompts_per_step: 4,
          num_generations: 4,
          steps_per_generation: 2,
          max_completion_length: 16,
          max_completion_length_from: [{ from_step: LIMITED_STEP, max_completion_length: LIMIT }],
          ref_model_sync_steps: 3,
        },
      },
      {
        stage: 'cold-start-sft',
        algorithm: 'sft',
        data: [
          {
            source: 'sampled',
            policy: 'zero',
            prompts: 12,
            num_generations: 4,
            prompts_per_request: 5,
            max_completion_length: 16,
          },
          { source: 'nano-general', rows: 10 },
        ],
        keep: { min_thinking_words: 0, decontaminate: false },
        options: { ...optimiser, max_steps: 4, per_device_train_batch_size: 4, max_length: 60 },
      },
      {
        stage: 'reward-model/helpfulness',
        algorithm: 'reward-model',
        preferences: { source: 'nano', train: 20, test: 10 },
        options: {
          ...optimiser,
          max_steps: 2,
          per_device_train_batch_size: 4,
          max_length: 64,
          min_accuracy: 0,
        },
      },
    ],
  });

/** Written by the launch for the run itself; all else that a launch writes is an import, and not counted. */
const OF_THE_RUN = ['runs', 'stages', 'branches'];

let ground: Ground;
let counted: DryRunDocument;
/** beyond what the launch imported */
let objects: { key: string; bytes: number }[];
let rows: Map<string, number>;

before(async () => {
  ground = await openGround({ recipe, historyEvents: null });
  counted = await dryRun({ recipe: ground.recipe, folder: '/' }, ground.connections, {
    rates: null,
    meanLengths: new Map(),
    measuredLengths: new Map(),
  });
  await launchRun(ground, RUN, null);
  const [objectsBefore, rowsBefore] = [await listObjects(), await countRows()];
  const crew = await startCrew(ground, RUN);
  try {
    assert.equal(await awaitRest(ground, RUN), 'complete');
  } finally {
    await crew.stop();
  }
  const imported = new Set(objectsBefore.map(({ key }) => key));
  objects = (await listObjects()).filter(({ key }) => !imported.has(key));
  const importedRows = (table: string) => (OF_THE_RUN.includes(table) ? 0 : (rowsBefore.get(table) ?? 0));
  rows = new Map([...(await countRows())].map(([table, count]) => [table, count - importedRows(table)]));
});
after(() => ground.close());

const listObjects = async () => (await ground.connections.objects()).list('');

async function countRows(): Promise<Map<string, number>> {
  const database = await ground.connections.database();
  const counts = new Map<string, number>();
  for (const table of Object.keys(counted.total.rows)) {
    const [row] = await database.query<{ rows: number }>(`SELECT count(*) AS rows FROM ${table}`);
    counts.set(table, Number(row?.rows ?? 0));
  }
  return counts;
}

test('the objects in S3 are those counted', () => {
  assert.equal(objects.length, counted.total.objects, objects.map(({ key }) => key).join('\n'));
});

test('the bytes in S3 are at most those counted, and more than half of them', () => {
  const bytes = objects.reduce((sum, object) => sum + object.bytes, 0);
  const { s3Bytes } = counted.total;
  assert(bytes <= s3Bytes && bytes > s3Bytes / 2, `${bytes} of ${s3Bytes}`);
});

test('the rows in Postgres are those counted, by table; data sets have no more', () => {
  const { dataset_rows: examples = 0, ...others } = counted.total.rows;
  const { dataset_rows: found = 0, ...foundOthers } = Object.fromEntries(rows);
  assert.deepEqual(foundOthers, others);
  assert(found > 0 && found <= examples, `${found} of ${examples} dataset_rows`);
});

test('the events of each stage’s history are those counted, but for answers that come together', async () => {
  const client = await ground.connections.temporal();
  for (const { stage, history } of counted.stages) {
    const { events = [] } = await client.workflow
      .getHandle(stageWorkflowId({ run: RUN, stage }))
      .fetchHistory();
    const [found, most] = [events?.length ?? 0, history.longest];
    assert.equal(history.histories, 1);
    assert(found <= most && found > 0.9 * most, `${stage}: ${found} of ${most}`);
  }
});

test('completions keep to the limit of their rollout', async () => {
  const database = await ground.connections.database();
  const lengths = await database.query<{ step: number; length: number }>(
    `SELECT step, mean_length AS length FROM batches WHERE run = $1 AND stage = 'zero' ORDER BY step`,
    [RUN],
  );
  assert.equal(lengths.length, 6);
  for (const { step, length } of lengths) {
    assert(step < LIMITED_STEP ? length > LIMIT : length <= LIMIT, `step ${step}: ${length}`);
  }
});

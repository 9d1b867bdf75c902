import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { checkLaunch, launch } from '../../../cli/launch/launch.ts';
import { openCheckpoint } from '../../../cli/models/open-model.ts';
import { parseOverride } from '../../../cli/recipe/overrides.ts';
import { type RecipeFile, readRecipe } from '../../../cli/recipe/recipe-file.ts';
import { findRun, readShow } from '../../../cli/run/run-rows.ts';
import { startRunWorkflow } from '../../../cli/run/workflow-client.ts';
import { type Connections, withConnections } from '../../../cli/stack/connections.ts';
import { showDocument } from '../../../contracts/documents.ts';
import { MIGRATIONS, PROJECT_ROOT } from '../../../infra/paths.ts';
import { countPrompts } from '../../../stores/data/prompts.ts';
import { migrate } from '../../../stores/database/migrate.ts';
import { listSteps } from '../../../stores/steps/steps.ts';
import { withStack } from '../../helpers/stack.ts';

const nanoZero = (...sets: string[]) =>
  readRecipe(join(PROJECT_ROOT, 'recipes', 'nano-zero.yaml'), sets.map(parseOverride));

/** Connections to a database and a bucket of the test's own; the workflows that it started end with it. */
async function withFreshStack(
  t: TestContext,
  work: (connections: Connections, id: string) => Promise<void>,
): Promise<void> {
  const stack = await withStack(t);
  await withConnections(async (connections) => {
    await migrate(await connections.database(), MIGRATIONS);
    await work(connections, stack.id);
  }, stack);
}

async function launched(connections: Connections, file: RecipeFile, name?: string) {
  const { run, workflowId, ui } = await launch(await checkLaunch(file, connections), connections, name);
  const client = await connections.temporal();
  const description = await client.workflow.getHandle(workflowId).describe();
  await client.workflow.getHandle(workflowId).terminate('the test is over');
  return { run, ui, description };
}

test('a launch leaves base, prompts, rows and a workflow that belong together', async (t) => {
  await withFreshStack(t, async (connections, id) => {
    const file = await nanoZero(
      'prompts.train=40',
      'prompts.test=8',
      'problems=8',
      'quick_problems=4',
      'seed=7',
    );
    const { run, ui, description } = await launched(connections, file, id);
    const database = await connections.database();
    const steps = file.recipe.stages[0]?.options.max_steps;

    const { plan, recipe, base } = await findRun(database, undefined);
    assert.equal(run, id);
    assert.deepEqual([plan.seed, plan.trainPrompts, recipe.seed], ['7', 40, 7]);
    assert.equal(await countPrompts(database, plan.promptSet, 'test'), 8);

    const { model, origin } = await openCheckpoint(`${id}/zero@0`, connections);
    assert.equal(model.digest, base.digests.weights);
    assert.deepEqual(origin.manifest, base.manifest);

    assert.equal(description.type, 'trainingRun');
    assert.equal(await description.staticSummary(), `nano-zero · seed 7 · zero ${steps} steps`);
    assert(ui?.endsWith(`/workflows/r1%2F${id}`), ui ?? 'no address');

    const show = showDocument.parse(await readShow(database, id));
    assert.deepEqual(
      show.stages.map(({ stage, status, step, steps }) => [stage, status, step, steps]),
      [['zero', 'pending', 0, steps]],
    );
    assert.deepEqual(await listSteps(database, id), []);
  });
});

test('a run without a name is called after its recipe, with the next free number', async (t) => {
  await withFreshStack(t, async (connections, id) => {
    const file = await nanoZero(
      `name=${id}`,
      'prompts.train=4',
      'prompts.test=2',
      'problems=2',
      'quick_problems=1',
    );
    assert.equal((await launched(connections, file)).run, `${id}-1`);
    assert.equal((await launched(connections, file)).run, `${id}-2`);
    await assert.rejects(launched(connections, file, `${id}-1`), {
      name: 'InvalidInput',
      message: new RegExp(`a run "${id}-1" exists`),
    });
  });
});

test('starting a run’s workflow twice starts it once', async (t) => {
  await withFreshStack(t, async (connections, id) => {
    const client = await connections.temporal();
    await startRunWorkflow(client, { run: id, summary: 'first' });
    const handle = client.workflow.getHandle(`r1/${id}`);
    const first = await handle.describe();
    await startRunWorkflow(client, { run: id, summary: 'second' });
    assert.equal((await handle.describe()).runId, first.runId);
    await handle.terminate('the test is over');
    await startRunWorkflow(client, { run: id, summary: 'third' });
    assert.notEqual((await handle.describe()).runId, first.runId);
    await handle.terminate('the test is over');
  });
});

test('what a recipe names is checked before anything is written', async (t) => {
  await withFreshStack(t, async (connections) => {
    const refusals: [string[], RegExp][] = [
      [['base=nowhere'], /nowhere: expected a model’s folder, found none/],
      [['problems=300'], /at most as many problems as prompts are held out \(256\), found 300/],
      [['max_completion_length=250'], /within the 256 positions of .*nano-base, found \d+ \+ 250/],
      [['prompts.train=50', 'terms=2', 'limit=3'], /expected 50 different sums, found \d/],
    ];
    for (const [sets, message] of refusals) {
      await assert.rejects(checkLaunch(await nanoZero(...sets), connections), { message });
    }
    const database = await connections.database();
    assert.deepEqual(await database.query('SELECT FROM prompt_sets'), []);
    assert.deepEqual(await (await connections.objects()).list(''), []);
    await assert.rejects(readShow(database, undefined), { message: /there is no run yet/ });
  });
});

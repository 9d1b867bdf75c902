import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MOST_EVENTS } from '../../../algorithm/plan/run-size.ts';
import { dryRun, dryRunText } from '../../../cli/launch/dry-run.ts';
import { parseOverride } from '../../../cli/recipe/overrides.ts';
import { readRecipe } from '../../../cli/recipe/recipe-file.ts';
import { dryRunDocument } from '../../../contracts/dry-run-document.ts';

const never = () => assert.fail('a dry run of this recipe needs no stack');
const noStack = { database: never, objects: never };
const asIs = {
  rates: null,
  meanLengths: new Map<string, number>(),
  measuredLengths: new Map<string, number>(),
};

const document = (path: string, overrides: string[] = [], options: Partial<typeof asIs> | object = {}) =>
  readRecipe(path, overrides.map(parseOverride)).then((file) =>
    dryRun(file, noStack, { ...asIs, ...options }),
  );

test('the paper’s recipe is counted without its models, as large as it says they are', async () => {
  const run = dryRunDocument.parse(await document('recipes/r1.yaml'));
  const zero = run.stages.find(({ stage }) => stage === 'zero');
  assert.equal(zero?.completions, 10_400 * 512);
  assert.equal(zero?.largestObject, 2 * 4 * 671e9);
  assert.equal(run.absent.length, 3);
  assert.match(dryRunText(run), /Not found: base .*models\/base, student llama-8b/);
});

test('no history of the paper’s recipe comes near to what Temporal allows', async () => {
  const { total } = await document('recipes/r1.yaml');
  assert(total.history.longest < MOST_EVENTS / 4, `${total.history.longest}`);
});

test('a model that is not there is refused where the recipe does not say how large it is', async () => {
  await assert.rejects(
    // A path: only a plain name could be that of an added model, which the stack knows.
    document('recipes/nano-zero.yaml', ['base=./nowhere']),
    /base .*nowhere: expected a model’s folder, found none\. Fetch one .*--set base=FOLDER/,
  );
});

test('what a launch refuses a dry run refuses', async () => {
  await assert.rejects(
    document('recipes/nano-zero.yaml', ['evaluation.problems=100000']),
    /evaluation: expected at most as many problems as prompts are held out/,
  );
});

test('given rates and lengths make time of tokens', async () => {
  const rates = { sampling: 100, training: 50 };
  const run = await document('recipes/nano-zero.yaml', [], { rates, meanLengths: new Map([['*', 40]]) });
  const [zero] = run.stages;
  assert(zero !== undefined);
  assert.equal(zero.tokensTrained, 40 * zero.completions);
  const seconds = zero.tokensSampled / 100 + zero.tokensTrained / 50 + zero.tokensRead / 150;
  assert(Math.abs((zero.seconds ?? 0) - seconds) < 1e-6 * seconds);
  assert.match(dryRunText(run), /at 100 tokens\/s sampled and 50 tokens\/s trained/);
});

test('a mean length of a stage that the recipe does not have is refused', async () => {
  await assert.rejects(
    document('recipes/nano-zero.yaml', [], { meanLengths: new Map([['zeroo', 40]]) }),
    /--mean-length zeroo: the recipe has no such stage/,
  );
});

test('a plan of the whole recipe fits a terminal of 120 columns', async () => {
  const text = dryRunText(await document('recipes/r1.yaml', [], { rates: { sampling: 1e3, training: 1e3 } }));
  const tables = text.split('\n').filter((line) => /^[a-z/0-9-]+ {2}/.test(line));
  assert(tables.length > 20);
  for (const line of tables) assert(line.length <= 120, `${line.length}: ${line}`);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applyOverrides, parseOverride } from '../../../cli/recipe/overrides.ts';
import { valueAt } from '../../../cli/recipe/schema-keys.ts';
import { recipeSchema } from '../../../contracts/recipe.ts';

const data = {
  name: 'r',
  seed: 1,
  prompts: { source: 'nano-sums', train: 20, test: 5 },
  evaluation: { k: 4 },
  stages: [
    { stage: 'zero', algorithm: 'grpo', options: { max_steps: 4, temperature: 1 } },
    { stage: 'again', algorithm: 'grpo', options: { max_steps: 5 } },
  ],
};

const set = (...texts: string[]) => applyOverrides(recipeSchema, data, texts.map(parseOverride));
const paths = (text: string) => set(text).placed.map(({ path }) => path.join('.'));

test('a bare key changes every stage that knows it, whether or not the recipe says it', () => {
  assert.deepEqual(paths('beta=0.1'), ['stages.0.options.beta', 'stages.1.options.beta']);
});

test('a bare key that stages and evaluation know means the stages', () => {
  assert.deepEqual(paths('temperature=0.5'), [
    'stages.0.options.temperature',
    'stages.1.options.temperature',
  ]);
});

test('a bare key of the recipe itself means the recipe', () => {
  assert.deepEqual(paths('seed=2'), ['seed']);
});

test('a bare key that one section alone knows means that section', () => {
  assert.deepEqual(paths('k=16'), ['evaluation.k']);
  assert.deepEqual(paths('train=100'), ['prompts.train']);
});

test('a stage is named by index, by name within the list, and by name alone', () => {
  for (const key of [
    'stages[1].options.beta',
    'stages.1.options.beta',
    'stages.again.options.beta',
    'again.beta',
  ]) {
    assert.deepEqual(paths(`${key}=0`), ['stages.1.options.beta'], key);
  }
});

test('values are YAML', () => {
  const value = (text: string) => valueAt(set(text).data, ['stages', 0, 'options', text.split('=')[0] ?? '']);
  assert.equal(value('learning_rate=1e-4'), 0.0001);
  assert.equal(value('dynamic_sampling=true'), true);
  assert.equal(value('loss_type=dapo'), 'dapo');
  assert.deepEqual(value('rewards=[{name: format}]'), [{ name: 'format' }]);
});

test('later overrides win and the data given stays as it was', () => {
  assert.equal(valueAt(set('seed=2', 'seed=3').data, ['seed']), 3);
  assert.equal(data.seed, 1);
});

test('an unknown key is refused with the one that was meant', () => {
  assert.throws(
    () => set('learning_rat=1'),
    /--set learning_rat=1: unknown key learning_rat; did you mean learning_rate\?/,
  );
  assert.throws(() => set('evaluation.kk=1'), /evaluation\.kk: unknown key; did you mean k\?/);
  assert.throws(() => set('stages[2].options.beta=1'), /stages: expected one of 0, 1, zero, again, found 2/);
  assert.throws(() => set('seed.x=1'), /seed\.x: unknown key; known: none/);
});

test('a --set without key or value is refused', () => {
  for (const text of ['max_steps', '=8', 'a..b=1', '.=1', 'x={']) {
    assert.throws(() => set(text), { name: 'InputError' }, text);
  }
});

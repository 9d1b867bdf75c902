import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { budgetsOf, generationNotes, notesOnRecipe, planText } from '../../../cli/launch/plan-text.ts';
import { parseOverride } from '../../../cli/recipe/overrides.ts';
import { readRecipe } from '../../../cli/recipe/recipe-file.ts';
import { recipeSchema } from '../../../contracts/recipe.ts';
import { PROJECT_ROOT } from '../../../infra/paths.ts';

const read = (name: string) =>
  recipeSchema.parse(parse(readFileSync(join(PROJECT_ROOT, 'recipes', name), 'utf8')));

test('the whole recipe in miniature is given at most twenty minutes, every stage its share', () => {
  const recipe = read('nano-r1.yaml');
  const budgets = budgetsOf(recipe);
  assert.equal(budgets.size, recipe.stages.length);
  assert.ok([...budgets.values()].reduce((sum, minutes) => sum + minutes) <= 20);
});

test('a plan has a row a stage and one for all', () => {
  const recipe = read('nano-r1.yaml');
  const lines = planText(recipe).split('\n');
  assert.match(lines[0] ?? '', /^stage +trained by +from +steps +budget$/);
  assert.match(lines[1] ?? '', /^zero +GRPO +base +60 +2:30$/);
  assert.match(lines.at(-1) ?? '', /^all +\d+ +\d+:\d\d$/);
  assert.equal(lines.length, recipe.stages.length + 2);
});

test('without budgets a plan has no column for them', () => {
  assert.doesNotMatch(planText(read('nano-zero.yaml')), /budget/);
});

const nanoZero = async (...sets: string[]) =>
  (await readRecipe(join(PROJECT_ROOT, 'recipes/nano-zero.yaml'), sets.map(parseOverride))).recipe;

test('a clip range without a lower bound is allowed, and said', async () => {
  assert.deepEqual(notesOnRecipe(await nanoZero()), []);
  assert.deepEqual(notesOnRecipe(await nanoZero('epsilon=2')), [
    'zero: epsilon 2: no ratio is clipped from below, as 1 − epsilon is -1 and ratios are positive. The paper uses 10 after the cold start.',
  ]);
});

test('what takes long to make is announced', async () => {
  assert.deepEqual(generationNotes(await nanoZero()), []);
  assert.deepEqual(generationNotes(await nanoZero('train=50000')), [
    'Generating 50256 prompts (nano-sums) …',
  ]);
});

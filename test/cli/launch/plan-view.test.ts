import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { budgetsOf, planText } from '../../../cli/launch/plan-view.ts';
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
  assert.match(lines[0] ?? '', /^stage +trains by +from +steps +budget$/);
  assert.match(lines[1] ?? '', /^zero +GRPO +base +60 +2:30$/);
  assert.match(lines.at(-1) ?? '', /^all +\d+ +\d+:\d\d$/);
  assert.equal(lines.length, recipe.stages.length + 2);
});

test('without budgets a plan has no column for them', () => {
  assert.doesNotMatch(planText(read('nano-zero.yaml')), /budget/);
});

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseOverride } from '../../../cli/launch/overrides.ts';
import { readRecipe } from '../../../cli/launch/recipe-file.ts';
import { notesOnRecipe, waitText } from '../../../cli/launch/recipe-notes.ts';
import { PROJECT_ROOT } from '../../../infra/paths.ts';

const nanoZero = async (...sets: string[]) =>
  (await readRecipe(join(PROJECT_ROOT, 'recipes/nano-zero.yaml'), sets.map(parseOverride))).recipe;

test('a clip range without a lower bound is allowed, and said', async () => {
  assert.deepEqual(notesOnRecipe(await nanoZero()), []);
  assert.deepEqual(notesOnRecipe(await nanoZero('epsilon=2')), [
    'zero: epsilon 2: no ratio is clipped from below, as 1 − epsilon is -1 and ratios are positive. The paper has 10 after the cold start.',
  ]);
});

test('what takes long to make is announced', async () => {
  assert.deepEqual(waitText(await nanoZero()), []);
  assert.deepEqual(waitText(await nanoZero('train=50000')), ['Making 50256 prompts (nano-sums) …']);
});

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { classify, isHeldOut } from '../../../algorithm/nano/task.ts';
import { homeShare } from '../../../algorithm/nano/words.ts';
import { PROJECT_ROOT } from '../../../infra/paths.ts';
import { extractAnswer } from '../../../rewards/answer-text.ts';
import { isWellFormed } from '../../../rewards/format.ts';

const path = join(PROJECT_ROOT, 'recipes/data/cold-start-seeds.jsonl');
const seeds: { problem: string; response: string }[] = readFileSync(path, 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line));

test('every seed solves a training sum rightly, in form, checked, and in home words alone', () => {
  assert.ok(seeds.length >= 10);
  for (const { problem, response } of seeds) {
    const operands = problem.replace('=?', '').split('+').map(Number);
    assert.ok(!isHeldOut(operands), problem);
    const answer = String(operands.reduce((sum, operand) => sum + operand));
    assert.equal(extractAnswer(response), answer, response);
    assert.ok(isWellFormed(response), response);
    assert.ok(classify(response).checks);
    assert.equal(homeShare(response), 1);
  }
});

test('some seeds correct a slip', () => {
  assert.ok(seeds.some(({ response }) => classify(response).corrects));
});

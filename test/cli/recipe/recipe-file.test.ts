import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { InputError } from '../../../cli/errors.ts';
import { parseOverride } from '../../../cli/recipe/overrides.ts';
import { parseConfiguration, readRecipe } from '../../../cli/recipe/recipe-file.ts';
import { recipeSchema } from '../../../contracts/recipe.ts';
import { PROJECT_ROOT } from '../../../infra/paths.ts';

const recipe = `name: small
seed: 1
base: ../models/nano-base
prompts: { source: nano-sums, train: 20, test: 5 }
evaluation: { max_completion_length: 32 }
stages:
  - stage: zero
    algorithm: grpo
    options:
      learning_rate: 1e-4
      prompts_per_step: 2
      max_steps: 4
      max_completion_length: 32
`;

const parse = (text: string, ...sets: string[]) =>
  parseConfiguration(recipeSchema, text, 'r.yaml', sets.map(parseOverride));

function refusal(work: () => unknown): string[] {
  try {
    work();
  } catch (error) {
    assert(error instanceof InputError, String(error));
    return error.message.split('\n');
  }
  return assert.fail('expected a refusal');
}

test('every recipe that ships is valid', async () => {
  const files = await readdir(join(PROJECT_ROOT, 'recipes'));
  const made = await readdir(join(PROJECT_ROOT, 'models'));
  // Those named like a model say how `r1 pretrain` makes it.
  const runs = files.filter((name) => name.endsWith('.yaml') && !made.includes(name.replace('.yaml', '')));
  for (const file of runs) {
    const { recipe } = await readRecipe(join(PROJECT_ROOT, 'recipes', file));
    assert.equal(`${recipe.name}.yaml`, file);
  }
});

test('an unknown key is refused with its line and the key that was meant', () => {
  const [first] = refusal(() => parse(recipe.replace('learning_rate', 'learning_rat')));
  assert.equal(first, 'r.yaml line 9: stages[0].options.learning_rate: expected a number, found nothing');
  const lines = refusal(() => parse(recipe.replace('max_steps', 'max_step')));
  assert.deepEqual(lines.slice(0, 2), [
    'r.yaml line 9: stages[0].options.max_steps: expected a number, found nothing',
    'r.yaml line 12: stages[0].options.max_step: unknown key; did you mean max_steps?',
  ]);
});

test('all problems of a recipe are listed at once, each with expected and found', () => {
  const broken = recipe
    .replace('seed: 1', 'seed: one')
    .replace('nano-sums', 'nano-sum')
    .replace('max_steps: 4', 'max_steps: 0.5')
    .replace('algorithm: grpo', 'algorithm: ppo');
  assert.deepEqual(refusal(() => parse(broken)).slice(0, 3), [
    'r.yaml line 2: seed: expected a number, found "one"',
    'r.yaml line 4: prompts.source: expected one of "jsonl", "imported", "puzzles", "nano-sums", "nano-general", found "nano-sum"',
    'r.yaml line 8: stages[0].algorithm: expected one of "grpo", "sft", "reward-model", found "ppo"',
  ]);
});

test('an impossible combination is refused at its key', () => {
  const lines = refusal(() => parse(`${recipe}      warmup_steps: 9\n`));
  assert.equal(
    lines[0],
    'r.yaml line 14: stages[0].options.warmup_steps: expected at most max_steps (4), found 9',
  );
});

test('broken YAML is refused with its line', () => {
  const [first] = refusal(() => parse(recipe.replace('  - stage', '  stage: [')));
  assert.match(first ?? '', /^r\.yaml line \d+: /);
});

test('an empty file and a list are no recipe', () => {
  assert.match(
    refusal(() => parse(''))[0] ?? '',
    /^r\.yaml line 1: \(the whole\): expected a group of keys, found null/,
  );
  assert.match(refusal(() => parse('- a'))[0] ?? '', /expected a group of keys, found \["a"\]/);
});

test('a file that is not there is refused by its name', async () => {
  await assert.rejects(readRecipe('no/such.yaml'), {
    name: 'InputError',
    message: 'no/such.yaml: expected a file, found none. Check the path.',
  });
});

test('a problem that --set brought is told as that --set', () => {
  const [first] = refusal(() => parse(recipe, 'max_steps=few'));
  assert.equal(first, '--set max_steps=few: stages[0].options.max_steps: expected a number, found "few"');
});

test('the comments of a shipped recipe stand beside known keys only', async () => {
  const text = await readFile(join(PROJECT_ROOT, 'recipes/nano-zero.yaml'), 'utf8');
  const { stages, evaluation, prompts } = parseConfiguration(recipeSchema, text, 'nano-zero.yaml');
  assert.equal(evaluation.problems, prompts.source === 'nano-sums' ? prompts.test : undefined);
  assert.deepEqual(
    stages.map((stage) => [
      stage.stage,
      stage.algorithm === 'grpo' && stage.options.prompts_per_step * stage.options.num_generations,
    ]),
    [['zero', 256]],
  );
});

test('stages may share options by merge keys, and one of them may be overridden by itself', () => {
  const twice = `${recipe.replace('options:', 'options: &shared')}  - stage: reasoning-rl
    algorithm: grpo
    from: zero
    options:
      <<: *shared
      max_steps: 5
`;
  const steps = (...sets: string[]) => parse(twice, ...sets).stages.map(({ options }) => options.max_steps);
  assert.deepEqual(steps(), [4, 5]);
  assert.deepEqual(steps('zero.max_steps=6'), [6, 5]);
});

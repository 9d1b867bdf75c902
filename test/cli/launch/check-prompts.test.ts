import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ImportedPrompt } from '../../../algorithm/data/prompt-rows.ts';
import { contaminatedSamples, unreachableLengths } from '../../../cli/launch/check-prompts.ts';
import type { Recipe } from '../../../contracts/recipe.ts';
import { recipeSchema } from '../../../contracts/recipe.ts';

const recipe = (keep: object, source: object = {}) =>
  recipeSchema.parse({
    name: 'small',
    seed: 1,
    base: 'base',
    prompts: { source: 'jsonl', path: 'train.jsonl' },
    evaluation: { problems: 1, quick_problems: 1, max_completion_length: 32 },
    stages: [
      {
        stage: 'zero',
        algorithm: 'grpo',
        options: { learning_rate: 1e-3, max_steps: 4, prompts_per_step: 2, max_completion_length: 32 },
      },
      {
        stage: 'cold-start-sft',
        algorithm: 'sft',
        data: [
          {
            source: 'sampled',
            policy: 'zero',
            prompts: 4,
            num_generations: 2,
            temperature: 1,
            max_completion_length: 32,
            ...source,
          },
        ],
        keep,
        options: { learning_rate: 1e-3, max_steps: 4, per_device_train_batch_size: 2, max_length: 64 },
      },
    ],
  });

const prompt = (problem: string, split: 'train' | 'test', domain = 'math') => ({
  problem,
  answer: '1',
  domain,
  split,
  hash: problem,
  source: 'rows.jsonl',
  line: 3,
});

/** The problems of decontamination, as one text. */
const contaminated = (of: Recipe, prompts: ImportedPrompt[], generalDomains: string[] = []) =>
  contaminatedSamples({
    recipe: of,
    prompts: { prompts, duplicates: 0, ignoredFields: [] },
    generalDomains,
  }).join('\n');

const words = 'one two three four five six seven eight nine ten';
const copied = [prompt(`So ${words}`, 'train'), prompt(`Then ${words}.`, 'test')];

test('a rule under which every training prompt is contaminated is refused with one of them', () => {
  assert.match(
    contaminated(recipe({}), copied),
    /cold-start-sft: keep\.decontaminate: .* found that all 1 do: rows\.jsonl line 3 shares "one two three/,
  );
  assert.equal(contaminated(recipe({ decontaminate: false }), copied), '');
  assert.equal(contaminated(recipe({}), [...copied, prompt('another', 'train')]), '');
});

test('prompts that the stage never draws keep nothing', () => {
  const withGeneral = [...copied, prompt('another', 'train', 'general')];
  assert.match(contaminated(recipe({}), withGeneral, ['general']), /keep\.decontaminate/);
  const weighed = recipe({}, { domain_weights: { math: 1, general: 1 } });
  assert.equal(contaminated(weighed, withGeneral, ['general']), '');
});

test('an instruction that every prompt has is no reason to refuse', () => {
  const instruct = (problem: string) => `Give the sum of the two numbers that are written below: ${problem}`;
  const prompts = [
    ...['1+2', '3+4', '5+6'].map((each) => prompt(instruct(each), 'train')),
    ...['7+8', '8+9'].map((each) => prompt(instruct(each), 'test')),
  ];
  assert.equal(contaminated(recipe({}), prompts), '');
});

test('a rule that no sample can meet is refused', () => {
  const [problem = ''] = unreachableLengths({ recipe: recipe({ min_thinking_words: 33 }) });
  assert.match(
    problem,
    /keep\.min_thinking_words: expected at most as many as a sample has tokens \(32\), found 33/,
  );
});

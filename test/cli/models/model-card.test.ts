import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { modelCard } from '../../../cli/models/model-card.ts';
import { readRecipe } from '../../../cli/recipe/recipe-file.ts';
import { PROJECT_ROOT } from '../../../infra/paths.ts';
import { evaluationFixture } from '../fixtures.ts';

const { recipe } = await readRecipe(join(PROJECT_ROOT, 'recipes', 'nano-zero.yaml'));
const input = {
  run: 'nano-zero-1',
  stage: 'zero',
  step: 60,
  digest: 'ab'.repeat(32),
  recipe,
  seed: '1',
  promptSet: 'cd'.repeat(32),
  data: {},
  evaluations: [evaluationFixture({ k: 16 })],
  models: { base: { digest: '12'.repeat(32), card: '---\nlicense: mit\n---\n# base\n' } },
  measure: null,
};

test('a model card names licence, base, recipe, and the evaluation with k and sampling settings', () => {
  const card = modelCard(input);
  assert.match(card, /^---\nlicense: mit\n[\s\S]*?\n---\n/);
  assert.match(card, /- Started from: `nano-base`, weights `(12){32}`/);
  assert.match(card, /: a language model, step 60 of 60 of the stage `zero`/);
  assert.match(card, /temperature 0\.6, top-p 0\.95, at most 128 tokens/);
  assert.match(card, /^\| zero \| 20 \| 64 \| 16 \| 42\.0 % \| 40\.0–44\.0 % \|/m);
  assert.match(card, /```yaml\nname: nano-zero\n[\s\S]*learning_rate: /);
});

test('a card claims of its answers only what was measured', () => {
  const measured = (formatRate: number, step = 60) => evaluationFixture({ k: 16, formatRate, step });
  const use = (of: object) =>
    modelCard({ ...input, ...of })
      .split('## Use')[1]
      ?.split('## Stages')[0] ?? '';
  assert.match(
    use({ evaluations: [measured(0)] }),
    /held-out problems 0\.0 % think between `<think>`.*\(measured at step 60\)/,
  );
  assert.match(use({ evaluations: [measured(0.5, 20), measured(0.97)] }), /97\.0 % think .*step 60/);
  // What was measured later, or of another policy, is not this checkpoint's.
  assert.match(
    use({ step: 40, evaluations: [measured(0.5, 20), measured(0.97)] }),
    /50\.0 % think .*step 20/,
  );
  assert.doesNotMatch(use({ evaluations: [evaluationFixture({ stage: 'base', step: 0 })] }), /think/);
  assert.doesNotMatch(use({}).replace(/Of its answers.*/, ''), /chat template|generation_config/);
  const files = ['generation_config.json'];
  assert.match(
    use({ files, hasChatTemplate: true }),
    /; the chat template formats prompts, and `generation_config.json` has/,
  );
});

test('a card of what a stage starts from does not say that the stage trained it', () => {
  const card = modelCard({ ...input, step: 0, evaluations: [] });
  assert.match(card, /: a language model, what the stage `zero` starts from, not trained by it\./);
  assert.doesNotMatch(card, /trained by durable-r1/);
});

test('a recipe of another release stays in the card as it lies in its row', () => {
  const [zero] = recipe.stages;
  const stages = [{ ...zero, options: { ...zero?.options, temperature: 1e9, later: true } }];
  const card = modelCard({ ...input, recipe: { ...recipe, stages } as unknown as typeof recipe });
  assert.match(card, /temperature: 1000000000/);
});

test('a base without a card leaves the licence open, and an unmeasured model says so', () => {
  const models = { base: { digest: '12'.repeat(32), card: null } };
  const card = modelCard({ ...input, models, evaluations: [] });
  assert.match(card, /^license: other$/m);
  assert.match(card, /Not measured\./);
});

test('a card tells the stages behind a checkpoint, their data by name and digest, and leaves out what it owes nothing', async () => {
  const nano = await readRecipe(join(PROJECT_ROOT, 'recipes', 'nano-r1.yaml'));
  const data = { 'rejection-sft': { name: 'nano-r1-rejection-sft@1', digest: 'ef'.repeat(32) } };
  const evaluations = ['base', 'zero', 'distill/small'].map((stage) => evaluationFixture({ stage, k: 16 }));
  const card = modelCard({ ...input, recipe: nano.recipe, stage: 'rejection-sft', data, evaluations });
  assert.match(card, /^\| zero \| data \| GRPO \| base \| \d+ \| {2}\|$/m);
  assert.match(
    card,
    /^\| rejection-sft \| weights \| SFT \| base \| \d+ \| nano-r1-rejection-sft@1, `(ef){32}` \|$/m,
  );
  assert.doesNotMatch(card, /^\| (scenario-rl|distill\/small)/m);
  assert.match(card, /tags:\n {2}- sft\n {2}- reasoning/);
});

test('a reward model’s card tells how it ranks and what it reads, and nothing of sampling', async () => {
  const { recipe: nano } = await readRecipe(join(PROJECT_ROOT, 'recipes', 'nano-r1.yaml'));
  const measure = { accuracy: 0.921, pairs: 200 };
  const card = modelCard({ ...input, recipe: nano, stage: 'reward-model/helpfulness', measure });
  assert.match(card, /^license: mit\nlibrary_name: transformers\npipeline_tag: text-classification$/m);
  assert.match(card, /`AutoModelForSequenceClassification`.* only what follows the thinking\./);
  assert.match(card, /ranks 92\.1 % of 200 held-out pairs correctly.* Below 80 % /);
  assert.doesNotMatch(card.split('## Recipe')[0] ?? '', /pass@1|Prompts:/);
});

test('a student’s card has the licence of the student, not of the base', async () => {
  const { recipe: nano } = await readRecipe(join(PROJECT_ROOT, 'recipes', 'nano-r1.yaml'));
  const own = { digest: '34'.repeat(32), card: '---\nlicense: apache-2.0\n---\n' };
  const models = { ...input.models, 'student/small': own };
  const card = modelCard({ ...input, recipe: nano, stage: 'distill/small', models });
  assert.match(card, /- Licence: apache-2\.0\n- Started from: `nano-student`, weights `(34){32}`/);
});

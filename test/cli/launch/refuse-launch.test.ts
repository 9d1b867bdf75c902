import assert from 'node:assert/strict';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { checkLaunch } from '../../../cli/launch/launch.ts';
import { readRecipe } from '../../../cli/recipe/recipe-file.ts';
import type { Connections } from '../../../cli/stack/connections.ts';
import { recipeSchema } from '../../../contracts/recipe.ts';
import { PROJECT_ROOT } from '../../../infra/paths.ts';

const NANO_BASE = join(PROJECT_ROOT, 'models/nano-base');

/** Nothing is asked of servers to refuse what files hold. */
const noServers: Pick<Connections, 'database' | 'objects'> = {
  database: () => assert.fail('the database was asked'),
  objects: () => assert.fail('the object store was asked'),
};

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'r1-launch-'));
  await lines('train.jsonl', sums(0, 20));
  await lines('test.jsonl', sums(40, 48));
});
after(() => rm(folder, { recursive: true }));

const lines = (name: string, rows: readonly object[]) =>
  writeFile(join(folder, name), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));

const sums = (begin: number, end: number) =>
  Array.from({ length: end - begin }, (_, n) => ({
    problem: `${begin + n}+1=?`,
    answer: String(begin + n + 1),
    domain: 'nano-sums',
  }));

/** The nano base with other tokenizer or model configuration, as a folder beside the recipe. */
async function variant(name: string, file: string, change: object): Promise<string> {
  await cp(NANO_BASE, join(folder, name), { recursive: true });
  const path = join(folder, name, file);
  await writeFile(path, JSON.stringify({ ...JSON.parse(await readFile(path, 'utf8')), ...change }));
  return name;
}

const optimiser = { learning_rate: 1e-3, max_steps: 4 };
const supervised = { ...optimiser, per_device_train_batch_size: 2, max_length: 64 };
const zero = (options: object = {}) => ({
  stage: 'zero',
  algorithm: 'grpo',
  options: { ...optimiser, prompts_per_step: 2, max_completion_length: 32, ...options },
});
const coldStart = (...data: object[]) => ({
  stage: 'cold-start-sft',
  algorithm: 'sft',
  data,
  options: supervised,
});
const rewardModel = (name: string, path: string, of: object = {}) => ({
  stage: `reward-model/${name}`,
  algorithm: 'reward-model',
  preferences: { source: 'jsonl', path, ...of },
  options: supervised,
});

function check(of: object) {
  const recipe = recipeSchema.parse({
    name: 'small',
    seed: 1,
    base: NANO_BASE,
    prompts: { source: 'jsonl', path: 'train.jsonl', evaluation_path: 'test.jsonl' },
    evaluation: { problems: 4, quick_problems: 2, max_completion_length: 32 },
    stages: [zero()],
    ...of,
  });
  return checkLaunch({ recipe, folder }, noServers);
}

const refused = (of: object, message: RegExp) => assert.rejects(check(of), { message });

test('every recipe that ships passes, but for models that are fetched', async () => {
  for (const name of ['nano-zero', 'nano-r1']) {
    const file = await readRecipe(join(PROJECT_ROOT, 'recipes', `${name}.yaml`));
    assert.ok((await checkLaunch(file, noServers)).prompts.prompts.length > 0);
  }
});

test('a student that cannot be asked by its own chat template is refused by its name', async () => {
  const template = (chat_template: string | null) =>
    variant(`student-${count++}`, 'tokenizer_config.json', { chat_template });
  const refusals: [string | null, RegExp][] = [
    [null, /^student small \(student-0\): expected a tokenizer with a chat template .*found none/],
    [
      "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' + m['content'] }}{% endfor %}",
      /^student small \(student-1\): expected .*tokens for what its chat template writes, found none for "<\|im_start\|>user"/,
    ],
    [
      "{{ bos_token + messages[0]['content'] }}",
      /^student small \(student-2\): expected a chat template that writes a user’s message .*undefined/,
    ],
  ];
  let count = 0;
  for (const [chat_template, message] of refusals)
    await refused({ students: { small: await template(chat_template) } }, message);
});

test('a tokenizer that cannot write the tags of answers is refused', async () => {
  const name = await variant('untagged', 'tokenizer_config.json', {});
  const path = join(folder, name, 'tokenizer.json');
  const tokenizer = (await readFile(path, 'utf8')).replaceAll('<answer>', '<result>');
  await writeFile(path, tokenizer);
  await refused({ base: name }, /^base untagged: expected .*the tags of answers, found none for "<answer>"/);
});

test('a model of another architecture is no base and no student, and neither is a reward model', async () => {
  const mistral = { architectures: ['MistralForCausalLM'], model_type: 'mistral' };
  const scalar = { architectures: ['LlamaForSequenceClassification'], num_labels: 1 };
  const message = /config\.json.*\n.*found "MistralForCausalLM"/;
  await refused({ base: await variant('mistral', 'config.json', mistral) }, message);
  await refused({ students: { small: 'mistral' } }, message);
  await refused(
    { base: await variant('scores', 'config.json', scalar) },
    /expected a model that generates .*found "LlamaForSequenceClassification".*a reward model only scores/,
  );
});

test('a problem that is measured is neither trained on nor imitated', async () => {
  await lines('leaky.jsonl', [...sums(0, 3), { ...sums(41, 42)[0], problem: ' 41+1=?\n' }]);
  await refused(
    { prompts: { source: 'jsonl', path: 'leaky.jsonl', evaluation_path: 'test.jsonl' } },
    /test\.jsonl line 2: expected a problem that is not trained on, found that of leaky\.jsonl line 4/,
  );
  await refused(
    { general_prompts: { source: 'jsonl', path: 'leaky.jsonl' } },
    /leaky\.jsonl line 4: expected a problem that is not held out, found that of test\.jsonl line 2/,
  );
  await lines('seeds.jsonl', [{ problem: '41+1=?', response: '<think></think><answer>42</answer>' }]);
  await refused(
    { stages: [coldStart({ source: 'jsonl', path: 'seeds.jsonl' })] },
    /seeds\.jsonl line 1: problem: expected one that is not measured, found the held-out one of test\.jsonl line 2/,
  );
});

test('domains must be those of the prompts, and a walk must visit one', async () => {
  const curriculum = (domain_weights: object) => ({
    stages: [zero({ curriculum: [{ from_step: 1, domain_weights }] })],
  });
  await refused(
    curriculum({ 'nano-sum': 1 }),
    /zero: curriculum\[0\]\.domain_weights: expected domains of the training prompts \(nano-sums\), found nano-sum/,
  );
  await refused(curriculum({ 'nano-sums': 0 }), /expected a weight above 0/);
  await refused(curriculum({}), /expected a weight above 0/);
  const rewards = [{ name: 'accuracy' }, { name: 'format', domains: ['math'] }];
  await refused({ stages: [zero({ rewards })] }, /reward format: domains: expected .*found math/);
});

test('an example that its stage cannot be trained on is refused with its line', async () => {
  const response = '<think></think><answer>1</answer>';
  const refusals: [object, RegExp][] = [
    [{ problem: 'copy 1' }, /response: expected a text, found nothing/],
    [{ problem: 'copy 1', response: '' }, /response: expected a non-empty text, found ""/],
    [{ problem: 'copy 1', response: '1'.repeat(80) }, /expected at most 64 tokens \(max_length\), found \d+/],
    [{ problem: 'copy 1', response: `É${response}` }, /response: expected text .*found none for "É<think>/],
  ];
  for (const [row, message] of refusals) {
    await lines('examples.jsonl', [{ problem: 'copy 2', response }, row]);
    await refused(
      { stages: [coldStart({ source: 'jsonl', path: 'examples.jsonl' })] },
      new RegExp(`examples\\.jsonl line 2: .*${message.source}`),
    );
  }
});

test('preferences that a reward model could not learn from, or not be measured by, are refused', async () => {
  const [train, held] = [{ split: 'train' }, { split: 'test' }];
  const pair = { prompt: 'copy 1', chosen: '1', rejected: '2' };
  const label = { prompt: 'copy 1', response: '1', safe: true };
  const refusals: [string, object, RegExp][] = [
    ['helpfulness', { ...pair, rejected: '1' }, /line 2: chosen and rejected: .*found equal ones/],
    [
      'helpfulness',
      { ...pair, chosen: '<think>1</think>3', rejected: '<think>2</think> 3' },
      /line 2: chosen and rejected: .*differ only in their thinking/,
    ],
    ['helpfulness', label, /line 2: chosen: expected a text, found nothing/],
    [
      'helpfulness',
      { ...pair, prompt: 'copy 2', rejected: '2'.repeat(80), ...held },
      /line 2: reward-model\/helpfulness: expected at most 64/,
    ],
    ['helpfulness', { ...pair, ...train }, /expected rows of the split test, found none in 2 rows.*held_out/],
    ['safety', { prompt: 'copy 1', response: '1' }, /line 2: safe: expected true or false, found nothing/],
    ['safety', { ...label, safe: 'yes' }, /line 2: safe: expected true or false, found "yes"/],
    ['safety', { ...label, ...train }, /expected safe and unsafe responses of the split train/],
  ];
  for (const [name, row, message] of refusals) {
    const first = name === 'safety' ? { ...label, ...train } : { ...pair, ...train };
    await lines('preferences.jsonl', [first, row]);
    await refused({ stages: [rewardModel(name, 'preferences.jsonl')] }, message);
  }
  const labels = [true, false].map((safe) => ({ prompt: `copy ${safe}`, response: '1', safe, ...train }));
  await lines('preferences.jsonl', [...labels, { ...label, ...held }]);
  await refused(
    { stages: [rewardModel('safety', 'preferences.jsonl')] },
    /responses of the split test, found only safe ones/,
  );
});

test('sequences must have positions in the model that reads them', async () => {
  const long = { ...supervised, max_length: 300 };
  const general = { source: 'nano-general', rows: 4 };
  await refused(
    { stages: [{ ...coldStart(general), options: long }] },
    /cold-start-sft: expected a max_length within the 256 positions of base .*found 300/,
  );
  const sampled = { source: 'sampled', policy: 'zero', prompts: 4, num_generations: 2 };
  await refused(
    { stages: [zero(), coldStart({ ...sampled, max_completion_length: 300 })] },
    /train\.jsonl line 1: expected prompt and max_completion_length within the 256 positions .*\+ 300/,
  );
});

import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { EXIT, verdictOn } from '../../../cli/errors.ts';
import { dryRun } from '../../../cli/launch/dry-run.ts';
import { programFor } from '../../../cli/main.ts';
import { parseOverride } from '../../../cli/recipe/overrides.ts';
import { readRecipe } from '../../../cli/recipe/recipe-file.ts';
import type { Connections } from '../../../cli/stack/connections.ts';
import { readModelFolder } from '../../../engine/weights/model-folder.ts';
import { PROJECT_ROOT } from '../../../infra/paths.ts';

/*
 * What a person can get wrong: recipes, configurations of models, command lines. Each is refused with one clear error
 * (where, which key, expected, found), with the exit code of a wrong input, and leaves nothing behind.
 */

const NANO_BASE = join(PROJECT_ROOT, 'models/nano-base');

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'r1-bad-input-'));
});
after(() => rm(folder, { recursive: true }));

const noServers: Pick<Connections, 'database' | 'objects'> = {
  database: () => assert.fail('the database was asked'),
  objects: () => assert.fail('the object store was asked'),
};

const recipe = `name: small
seed: 1
base: ${NANO_BASE}
prompts: { source: nano-sums, train: 20, test: 5 }
evaluation: { problems: 5, max_completion_length: 32 }
stages:
  - stage: zero
    algorithm: grpo
    options: &options
      learning_rate: 1e-4
      prompts_per_step: 2
      max_steps: 4
      max_completion_length: 32
`;
const reinforced = (name: string) => `  - stage: ${name}
    algorithm: grpo
    options: *options
`;
/** With an option at line 14. */
const option = (text: string) => `${recipe}      ${text}\n`;
/** With a key of the recipe at line 14. */
const key = (text: string) => `${recipe}${text}\n`;
const swap = (from: string, to: string) => {
  assert.ok(recipe.includes(from), from);
  return recipe.replace(from, to);
};
const AT = 'stages[0].options.';

/** A recipe's text (or bytes), and the error without the file's name. */
const recipes: [string | Uint8Array, string | RegExp][] = [
  // Numbers beyond their bounds.
  [
    swap('max_steps: 4', 'max_steps: 1e15'),
    `line 12: ${AT}max_steps: expected at most 1000000, found 1000000000000000`,
  ],
  [swap('max_steps: 4', 'max_steps: 0'), `line 12: ${AT}max_steps: expected at least 1, found 0`],
  [swap('max_steps: 4', 'max_steps: -1'), `line 12: ${AT}max_steps: expected at least 1, found -1`],
  [swap('max_steps: 4', 'max_steps: 0.5'), `line 12: ${AT}max_steps: expected a whole number, found 0.5`],
  [swap('1e-4', '1e30'), `line 10: ${AT}learning_rate: expected at most 10, found 1e+30`],
  [swap('1e-4', '0'), `line 10: ${AT}learning_rate: expected more than 0, found 0`],
  [swap('1e-4', '.inf'), `line 10: ${AT}learning_rate: expected a finite number, found .inf`],
  [swap('1e-4', '-.inf'), `line 10: ${AT}learning_rate: expected a finite number, found -.inf`],
  [swap('1e-4', '.nan'), `line 10: ${AT}learning_rate: expected a finite number, found .nan`],
  [swap('1e-4', "'1e-4'"), `line 10: ${AT}learning_rate: expected a number, found "1e-4"`],
  [swap('1e-4', ''), `line 10: ${AT}learning_rate: expected a number, found null`],
  [swap('1e-4', '[1e-4]'), `line 10: ${AT}learning_rate: expected a number, found [0.0001]`],
  [swap('1e-4', '[.inf]'), `line 10: ${AT}learning_rate: expected a number, found [".inf"]`],
  [option('temperature: 1e300'), `line 14: ${AT}temperature: expected at most 1000, found 1e+300`],
  [option('temperature: 1e-300'), `line 14: ${AT}temperature: expected at least 0.0001, found 1e-300`],
  [option('temperature: 0'), `line 14: ${AT}temperature: expected at least 0.0001, found 0`],
  [
    swap('problems: 5', 'problems: 5, temperature: 1e-300'),
    'line 5: evaluation.temperature: expected 0 (greedy) or a temperature from 0.0001, found 1e-300',
  ],
  [
    option('num_generations: 1e9'),
    `line 14: ${AT}num_generations: expected at most 100000, found 1000000000`,
  ],
  [option('num_generations: 1'), `line 14: ${AT}num_generations: expected at least 2, found 1`],
  [
    option('num_generations: 100000\n      steps_per_generation: 6'),
    `line 14: ${AT}num_generations: expected prompts_per_step × num_generations × steps_per_generation of at most 1000000, the completions of a rollout, found 2 × 100000 × 6`,
  ],
  [swap('train: 20', 'train: 1e9'), 'line 4: prompts.train: expected at most 1000000, found 1000000000'],
  [swap('train: 20', 'train: 0'), 'line 4: prompts.train: expected at least 1, found 0'],
  [
    swap('problems: 5', 'problems: 1e15'),
    'line 5: evaluation.problems: expected at most 1000000, found 1000000000000000',
  ],
  [
    swap('problems: 5', 'problems: 1000000, k: 11'),
    'line 5: evaluation.k: expected at most 10000000 samples of all problems together, found 1000000 × 11',
  ],
  [option('top_p: 0'), `line 14: ${AT}top_p: expected more than 0, found 0`],
  [option('top_p: 1.5'), `line 14: ${AT}top_p: expected at most 1, found 1.5`],
  [option('top_k: -1'), `line 14: ${AT}top_k: expected at least 0, found -1`],
  [option('epsilon: 0'), `line 14: ${AT}epsilon: expected more than 0, found 0`],
  [option('epsilon: 1e9'), `line 14: ${AT}epsilon: expected at most 1000, found 1000000000`],
  [option('epsilon_high: 0.1'), `line 14: ${AT}epsilon_high: expected at least epsilon (0.2), found 0.1`],
  [option('delta: 1'), `line 14: ${AT}delta: expected more than 1, found 1`],
  [option('beta: -1'), `line 14: ${AT}beta: expected at least 0, found -1`],
  [option('weight_decay: 1e9'), `line 14: ${AT}weight_decay: expected at most 1000, found 1000000000`],
  [option('adam_beta1: 1'), `line 14: ${AT}adam_beta1: expected less than 1, found 1`],
  [option('adam_epsilon: 0'), `line 14: ${AT}adam_epsilon: expected at least 1e-37, found 0`],
  [option('save_steps: 0'), `line 14: ${AT}save_steps: expected at least 1, found 0`],
  [option('warmup_steps: 9'), `line 14: ${AT}warmup_steps: expected at most max_steps (4), found 9`],
  [option('warmup_steps: 1e9'), `line 14: ${AT}warmup_steps: expected at most 1000000, found 1000000000`],
  [
    swap('      max_completion_length: 32', '      max_completion_length: 1e12'),
    `line 13: ${AT}max_completion_length: expected at most 16777216, found 1000000000000`,
  ],
  [
    option('rewards: [{ name: accuracy, weight: .inf }]'),
    `line 14: ${AT}rewards[0].weight: expected a finite number, found .inf`,
  ],
  [
    option('rewards: [{ name: accuracy, weight: 0 }]'),
    `line 14: ${AT}rewards: expected a weight other than 0 for at least one reward, found [{"name":"accuracy","weight":0}]`,
  ],
  [
    option('curriculum: [{ from_step: 1, domain_weights: { a: 1e6 } }]'),
    `line 14: ${AT}curriculum[0].domain_weights.a: expected at most 1000, found 1000000`,
  ],
  [
    key('alarms: [{ name: no-variance, threshold: 1e30 }]'),
    'line 14: alarms[0].threshold: expected at most 1000000000, found 1e+30',
  ],
  [
    key('parameters: { base: 1e30 }'),
    'line 14: parameters.base: expected at most 1000000000000000, found 1e+30',
  ],
  [swap('train: 20', 'terms: 9, train: 20'), 'line 4: prompts.terms: expected at most 8, found 9'],
  [swap('seed: 1', 'seed: -1'), 'line 2: seed: expected at least 0, found -1'],
  [swap('seed: 1', 'seed: 1e23'), 'line 2: seed: expected at most 9007199254740991, found 1e+23'],
  // Values of other types.
  [swap('seed: 1', 'seed: true'), 'line 2: seed: expected a number, found true'],
  [swap('seed: 1', 'seed: {}'), 'line 2: seed: expected a number, found {}'],
  [swap('seed: 1', "seed: ''"), 'line 2: seed: expected a number, found ""'],
  [
    swap('name: small', 'name: Small'),
    'line 1: name: expected a name of lower-case letters, digits and dashes, at most 63, found "Small"',
  ],
  [swap(`base: ${NANO_BASE}`, 'base: [a]'), 'line 3: base: expected a text, found ["a"]'],
  [
    swap(`base: ${NANO_BASE}`, 'base: "a\\0b"'),
    'line 3: base: expected a path without a zero byte, found "a\\u0000b"',
  ],
  [
    swap(`base: ${NANO_BASE}`, `base: ${'a'.repeat(5000)}`),
    'line 3: base: expected a text of at most 4096 characters, found "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa…',
  ],
  [
    key('students: { "A B": x }'),
    'line 14: students."A B": expected a name of lower-case letters, digits and dashes, at most 63, found "A B"',
  ],
  [
    recipe.slice(0, recipe.indexOf('stages:')).concat('stages: []\n'),
    'line 6: stages: expected at least 1 in the list, found []',
  ],
  // Names.
  [
    swap('stage: zero', 'stage: zeroo'),
    'line 7: stages[0].stage: expected one of zero, cold-start-sft, reasoning-rl, rejection-sft, reward-model/NAME, scenario-rl, distill/NAME, control/NAME, found "zeroo"; did you mean zero?',
  ],
  [option('learning_rat: 1'), `line 14: ${AT}learning_rat: unknown key; did you mean learning_rate?`],
  [
    option('frobnicate: 1'),
    /^line 14: stages\[0\]\.options\.frobnicate: unknown key; known: learning_rate, (\w+, )+max_drop_rate$/,
  ],
  // One slip that two stages share is said once.
  [
    `${option('lerning_rate: 1')}${reinforced('reasoning-rl').replace('algorithm', 'from: zero\n    algorithm')}`,
    `line 14: ${AT}lerning_rate: unknown key; did you mean learning_rate?`,
  ],
  [
    `${option('lerning_rate: 1')}${reinforced('reasoning-rl').replace('*options', '{ <<: *options, lerning_rate: 2 }')}`.replace(
      'reasoning-rl\n',
      'reasoning-rl\n    from: zero\n',
    ),
    `line 14: ${AT}lerning_rate: unknown key; did you mean learning_rate? (also in line 18)`,
  ],
  [`${recipe}${reinforced('zero')}`, 'line 14: stages[1].stage: expected each stage once, found zero again'],
  // YAML.
  [
    swap('seed: 1', 'seed: *one'),
    'line 2: *one: expected an alias of an anchor before it (none), found no &one',
  ],
  [
    option('<<: *none'),
    'line 14: *none: expected an alias of an anchor before it (&options), found no &none',
  ],
  [option('<<: 3'), 'line 14: <<: expected a group of keys, or an alias of one (*name)'],
  [option('rewards: &r [*r]'), 'line 14: expected *r outside of its own anchor, found it within'],
  [
    `a: &a [x,x,x,x,x,x,x,x]\n${['b', 'c', 'd', 'e'].map((name, n) => `${name}: &${name} [${`*${'abcd'[n]},`.repeat(8)}]\n`).join('')}`,
    'line 5: expected aliases (*name) that expand to little, found some that multiply one another. Write out their values; nothing was done.',
  ],
  [swap('seed: 1', '\tseed: 1'), 'line 2: expected blanks as indentation, found a tab'],
  [key('seed: 2'), 'line 14: expected each key of a group once, found seed again'],
  [key('---\nname: other'), 'line 14: expected one document, found another after it (---)'],
  [swap('seed: 1', 'seed: !two 1'), 'line 2: expected a value without a tag, found !two'],
  [key('? [a, b]\n: 1'), 'line 14: expected a word as key, found a group or a list'],
  [
    key(`x: ${'['.repeat(100)}${']'.repeat(100)}`),
    'line 14: expected at most 50 groups within one another, found more',
  ],
  [
    key(`x: ${'['.repeat(20_000)}${']'.repeat(20_000)}`),
    'line 14: expected at most 50 groups within one another, found more',
  ],
  ['', 'line 1: (the whole): expected a group of keys, found null'],
  ['- a', 'line 1: (the whole): expected a group of keys, found ["a"]'],
  ['some text', 'line 1: (the whole): expected a group of keys, found "some text"'],
  // Bytes.
  [
    Uint8Array.from({ length: 999 }, (_, n) => (n * 37) % 256),
    'line 1: expected text in UTF-8, found bytes of a binary file, or of UTF-16. Save it as UTF-8, or check the path.',
  ],
  [
    Buffer.from(recipe, 'utf16le'),
    'line 1: expected text in UTF-8, found bytes of a binary file, or of UTF-16. Save it as UTF-8, or check the path.',
  ],
  [
    Buffer.from(key('description: caf\u00e9'), 'latin1'),
    'line 14: expected text in UTF-8, found bytes that are not UTF-8. Save it as UTF-8, or check the path.',
  ],
];

/** What stands under a name of the folder, or a name that is given. */
const places: [string, () => Promise<unknown> | unknown, string | RegExp][] = [
  ['absent.yaml', () => {}, 'expected a file, found none. Check the path.'],
  [
    'folder.yaml',
    () => mkdir(join(folder, 'folder.yaml')),
    'expected a readable file, found a folder. Check the path.',
  ],
  [
    'loop.yaml',
    async () => {
      await symlink('loop2.yaml', join(folder, 'loop.yaml'));
      await symlink('loop.yaml', join(folder, 'loop2.yaml'));
    },
    'expected a readable file, found symbolic links that form a loop (ELOOP). Check the path.',
  ],
  [
    'x'.repeat(300),
    () => {},
    'expected a readable file, found a name that is too long (ENAMETOOLONG). Check the path.',
  ],
  [
    'large.yaml',
    () => writeFile(join(folder, 'large.yaml'), '#'.repeat(10_000_000)),
    'expected a text of at most 1048576 bytes, found a larger file. Check the path.',
  ],
  // Endless: read no further than allowed.
  ['/dev/zero', () => {}, 'expected a text of at most 1048576 bytes, found a larger file. Check the path.'],
];

/** What only a launch sees: models, prompts, domains. */
const launches: [string, RegExp][] = [
  [
    swap(NANO_BASE, 'HuggingFaceTB/SmolLM2-135M'),
    /line 3: base .*\/HuggingFaceTB\/SmolLM2-135M: expected a model’s folder, found none\. Fetch one in Hugging Face layout \(hf download HuggingFaceTB\/SmolLM2-135M --local-dir .*What is read: the folder of a Llama, Qwen2 or Qwen3 model/,
  ],
  [
    swap(NANO_BASE, 'model.gguf'),
    /line 3: base .*\/model\.gguf: expected a model’s folder, found a GGUF file\. Add it under a name/,
  ],
  [
    swap(NANO_BASE, 'gguf'),
    /line 3: base .*\/gguf: expected a model’s folder, found one with GGUF files\. Add one under a name/,
  ],
  [
    swap('problems: 5', 'problems: 6'),
    /line 5: evaluation: expected at most as many problems as prompts are held out \(5\), found 6\./,
  ],
  [
    option('eval_steps: 2'),
    /line 5: evaluation: expected at most as many .* \(5\), found 64\. .* or set evaluation\.quick_problems\./,
  ],
  [
    swap('train: 20', 'terms: 2, limit: 4, train: 500000'),
    /line 4: prompts: train: expected 500000 different sums, found \d among 2 terms below 4; ask for fewer/,
  ],
  [
    option('curriculum: [{ from_step: 1, domain_weights: { math: 1 } }]'),
    /line 14: zero: curriculum\[0\]\.domain_weights: expected domains of the training prompts \(nano-sums\), found math/,
  ],
];

/** `--set`, and the error. */
const overrides: [string, string | RegExp][] = [
  ['max_steps=few', '--set max_steps=few: stages[0].options.max_steps: expected a number, found "few"'],
  [
    'max_steps=1e15',
    '--set max_steps=1e15: stages[0].options.max_steps: expected at most 1000000, found 1000000000000000',
  ],
  ['max_steps', '--set max_steps: expected key=value, such as max_steps=8'],
  ['=8', '--set =8: expected key=value, such as max_steps=8'],
  [
    'seed=*x',
    '--set seed=*x: expected a YAML value: *x: expected an alias of an anchor before it (none), found no &x',
  ],
  ['seed=[', /^--set seed=\[: expected a YAML value: /],
  [
    'seed=!!float x',
    /^--set seed=!!float x: expected a YAML value: expected a value without a tag, found !!float/,
  ],
  [
    `seed=${'['.repeat(30_000)}`,
    /^--set seed=\[{95}…: expected a YAML value: expected at most 50 groups within one another/,
  ],
  ['zero.bet=1', '--set zero.bet=1: stages[0].options.bet: unknown key; did you mean beta?'],
  ['stages[7].stage=zero', '--set stages[7].stage=zero: stages: expected one of 0, zero, found 7'],
];

/** A change of the nano base's `config.json`, or the whole file's text, and the error. */
const configs: [object | string, RegExp][] = [
  [
    { rope_scaling: { rope_type: 'longrope', factor: 32 } },
    /\n {2}rope_scaling\.rope_type: the engine supports only .*"yarn".*, found "longrope"\nLeave the file as it is: /,
  ],
  [
    { model_type: 'mistral' },
    /\n {2}model_type: the engine supports only "llama", "qwen2", "qwen3", found "mistral"\nLeave the file as it is/,
  ],
  [{ hidden_act: 'gelu' }, /\n {2}hidden_act: .*found "gelu"\nLeave the file as it is/],
  [
    { max_position_embeddings: 1e12 },
    /\n {2}max_position_embeddings: expected at most 16777216, found 1000000000000\nFetch the file again/,
  ],
  [
    { max_position_embeddings: 16_000_000 },
    /\n {2}max_position_embeddings: expected at most 4194304 with head_dim 32, .* found 16000000\n/,
  ],
  [{ vocab_size: 0 }, /\n {2}vocab_size: expected at least 1, found 0\n/],
  [{ num_hidden_layers: 1e9 }, /\n {2}num_hidden_layers: expected at most 10000, found 1000000000\n/],
  [{ hidden_size: 'wide' }, /\n {2}hidden_size: expected a number, found "wide"\n/],
  [{ head_dim: 36 }, /\n {2}head_dim: the runtime's attention needs a multiple of 8, found 36\n/],
  [{ rms_norm_eps: 0 }, /\n {2}rms_norm_eps: expected more than 0, found 0\n/],
  [{ rope_theta: 1e300 }, /\n {2}rope_theta: expected at most 1000000000000000, found 1e\+300\n/],
  [
    { eos_token_id: 'end' },
    /\n {2}eos_token_id: expected a token’s number, or a list of them, found "end"\n/,
  ],
  [{ tie_word_embeddings: null }, /\n {2}tie_word_embeddings: expected true or false, found null\n/],
  ['null', /\n {2}\(the whole file\): expected a group of keys, found null\n/],
  ['[]', /\n {2}\(the whole file\): expected a group of keys, found \[\]\n/],
  ['{', /config\.json: expected JSON, found a damaged file\. Fetch or copy it again\./],
  ['', /config\.json: expected JSON, found a damaged file/],
  [`{"id2label": ${'['.repeat(100_000)}`, /config\.json: expected JSON, found a damaged file/],
];

/** Arguments of `r1`, and the error. */
const commandLines: [string[], RegExp][] = [
  [['lanch'], /unknown command 'lanch'\n\(Did you mean launch\?\)/],
  [
    ['eval', NANO_BASE, '--problems', '0'],
    /'--problems <n>' argument '0' is invalid\. Expected a whole number from 1 to 1000000, found 0\./,
  ],
  [['eval', NANO_BASE, '--problems', '1e3'], /Expected a whole number from 1 to 1000000, found 1e3\./],
  [
    ['eval', NANO_BASE, '--k', '1000000000'],
    /'--k <n>' .*Expected a whole number from 1 to 100000, found 1000000000\./,
  ],
  [['eval', NANO_BASE, '--temperature', '-1'], /Expected 0 or a number from 0\.0001 to 1000, found -1\./],
  [
    ['eval', NANO_BASE, '--temperature', '1e300'],
    /Expected 0 or a number from 0\.0001 to 1000, found 1e300\./,
  ],
  [['eval', NANO_BASE, '--temperature', 'NaN'], /Expected 0 or a number from 0\.0001 to 1000, found NaN\./],
  [['eval', NANO_BASE, '--top-p', '0'], /Expected a number above 0 and up to 1, found 0\./],
  [
    ['eval', NANO_BASE, '--max-tokens', '99999999999'],
    /Expected a whole number from 1 to 16777216, found 99999999999\./,
  ],
  [['eval', NANO_BASE, '--seed', '-1'], /Expected a whole number from 0 to 2\^64−1, found -1\./],
  [['eval', NANO_BASE, '--show', '0'], /'--show <n>' .*Expected a whole number from 1 to 1000000, found 0\./],
  [
    ['eval', NANO_BASE, '--out', 'samples.txt'],
    /--out samples\.txt: expected a name that ends in \.jsonl, found another/,
  ],
  [
    ['eval', NANO_BASE, '--out', '/nowhere/samples.jsonl'],
    /samples\.jsonl: expected a folder that can be written \(\/nowhere\), found none/,
  ],
  [['eval', NANO_BASE], /expected --prompts FILE or --recipe FILE, found neither/],
  [['generate', NANO_BASE], /required option '--prompt <text>' not specified/],
  [['generate', NANO_BASE, '--prompt', ''], /--prompt: expected a text, found none/],
  [
    ['generate', NANO_BASE, '--prompt', 'x', '--greedy', '--temperature', '1'],
    /--greedy and --temperature: expected one of them, found both/,
  ],
  [
    ['generate', NANO_BASE, '--prompt', '1', '--max-tokens', '300'],
    /within the model's 256 positions, found \d+ tokens of prompt and 300 to generate/,
  ],
  [
    ['generate', 'HuggingFaceTB/SmolLM2-135M', '--prompt', 'x'],
    /found the name of a repository, which is not fetched here\. .*hf download HuggingFaceTB\/SmolLM2-135M --local-dir models\/SmolLM2-135M; .*What is read/,
  ],
  [
    ['generate', 'https://huggingface.co/a/b/tree/main', '--prompt', 'x'],
    /hf download a\/b --local-dir models\/b/,
  ],
  [
    ['generate', '/nowhere', '--prompt', 'x'],
    /\/nowhere: expected a model’s folder or a run’s checkpoint, found none\. Check the path/,
  ],
  [
    ['generate', join(NANO_BASE, 'config.json'), '--prompt', 'x'],
    /found a file\. Name its folder: .*nano-base\. What is read/,
  ],
  [
    ['export', NANO_BASE, 'out'],
    /expected a checkpoint of a run .*, found a folder, which has the form of an export already/,
  ],
  [
    ['export', 'HuggingFaceTB/SmolLM2-135M', 'out'],
    /expected a checkpoint of a run .*, found the name of a repository/,
  ],
  [
    ['launch', 'x.yaml', '--mean-length', 'zero=0'],
    /Expected a number above 0 and up to 1000000000000, found 0\./,
  ],
  [
    ['launch', 'x.yaml', '--tokens-per-second', 'Infinity'],
    /Expected a number above 0 and up to 1000000000000, found Infinity\./,
  ],
  [
    ['launch', 'x.yaml', '--name', 'A B'],
    /--name A B: expected a name of lower-case letters, digits and dashes/,
  ],
  [['launch', 'x.yaml'], /x\.yaml: expected a file, found none\. Check the path\./],
  [['samples', '--limit', '0'], /Expected a whole number from 1 to 1000000, found 0\./],
  [['samples', 'r', 'zero', '--step', '0'], /Expected a whole number from 1 to 1000000, found 0\./],
  [['samples', '--wrong'], /--wrong: of the completions of a step; add --step N/],
  [['samples', '--step', '1', '--right', '--wrong'], /--right and --wrong: expected one of them, found both/],
  [['set', 'learning_rate=fast'], /learning_rate=fast: expected a number, found fast/],
  [['set', 'learning_rat=1'], /learning_rat=1: learning_rat cannot be changed; did you mean learning_rate\?/],
  [['set', 'beta=0', '--at-step', '0'], /Expected a whole number from 1 to 1000000, found 0\./],
  [['pretrain', '--steps', '1000000000'], /Expected a whole number from 1 to 1000000, found 1000000000\./],
  [['pretrain', '--seed', '1.5'], /Expected a whole number from 0 to 9007199254740991, found 1\.5\./],
  [['serve', 'rewards', '--port', '70000'], /Expected a whole number from 0 to 65535, found 70000\./],
  [['import', 'x', '--name', 'x', '--hold-out', '2'], /Expected a number above 0 and below 1, found 2\./],
  [['report', '--out', 'x.pdf'], /--out x\.pdf: expected a name that ends in \.html/],
];

interface Refusal {
  text: string;
  exitCode: number;
}

async function refusal(work: () => Promise<unknown>): Promise<Refusal> {
  try {
    await work();
  } catch (error) {
    return verdictOn(error);
  }
  return assert.fail('expected a refusal');
}

/** One error that says where: no trace, nothing unforeseen, the exit code of a wrong input. */
function saysClearly({ text, exitCode }: Refusal, expected: string | RegExp, of: string): void {
  assert.equal(exitCode, EXIT.usage, `${of}: ${text}`);
  assert.doesNotMatch(text, /unexpected error|\n {4}at |\[object/, of);
  assert.equal(text.match(/error: /g)?.length, 1, `${of}: ${text}`);
  if (typeof expected === 'string') assert.equal(text.split('\n')[0], `error: ${expected}`, of);
  else assert.match(text, expected, of);
  // What follows says what to do, and is no second problem.
  assert.ok((text.match(/ line \d+: /g) ?? []).length <= 1, `${of}: ${text}`);
}

const titleOf = (given: string | Uint8Array | object) =>
  typeof given === 'string' ? JSON.stringify(given.slice(-60)) : JSON.stringify(given).slice(0, 60);

test(`${recipes.length} wrong recipes are each refused with one clear error`, async () => {
  const path = join(folder, 'recipe.yaml');
  for (const [content, expected] of recipes) {
    await writeFile(path, content);
    const { text, exitCode } = await refusal(() => readRecipe(path));
    const shown = text.replace(`error: ${path} `, 'error: ');
    assert.notEqual(shown, text, 'the file is named');
    const started =
      typeof expected === 'string' ? expected : new RegExp(expected.source.replace('^', '^error: '), 'm');
    saysClearly({ text: shown, exitCode }, started, titleOf(content));
  }
  await rm(path);
});

test('a recipe is read whatever its line ends, with a mark of its byte order or without', async () => {
  const path = join(folder, 'recipe.yaml');
  for (const text of [recipe, recipe.replaceAll('\n', '\r\n'), `\ufeff${recipe}`]) {
    await writeFile(path, text);
    assert.equal((await readRecipe(path)).recipe.name, 'small');
  }
  await rm(path);
});

test(`${places.length} things that are no recipe’s file are named by their path`, async () => {
  for (const [name, make, expected] of places) {
    await make();
    const path = name.startsWith('/') ? name : join(folder, name);
    const { text, exitCode } = await refusal(() => readRecipe(path));
    assert.equal(exitCode, EXIT.usage, text);
    assert.equal(text, `error: ${path}: ${expected}`);
  }
});

test(`${launches.length} recipes that name what is not there are refused by a launch, with line and key`, async () => {
  await writeFile(join(folder, 'model.gguf'), 'GGUF');
  await mkdir(join(folder, 'gguf'));
  await writeFile(join(folder, 'gguf', 'model.Q4.gguf'), 'GGUF');
  const path = join(folder, 'recipe.yaml');
  for (const [content, expected] of launches) {
    await writeFile(path, content);
    const file = await readRecipe(path);
    const options = { rates: null, meanLengths: new Map(), measuredLengths: new Map() };
    saysClearly(await refusal(() => dryRun(file, noServers, options)), expected, titleOf(content));
  }
  await rm(path);
});

test(`${overrides.length} wrong overrides are each refused as that override`, async () => {
  const path = join(folder, 'recipe.yaml');
  await writeFile(path, recipe);
  for (const [set, expected] of overrides) {
    const { text, exitCode } = await refusal(async () => readRecipe(path, [parseOverride(set)]));
    assert.equal(exitCode, EXIT.usage, text);
    const [first = ''] = text.replace('error: ', '').split('\n');
    if (typeof expected === 'string') assert.equal(first, expected);
    else assert.match(first, expected);
    assert.doesNotMatch(text, /unexpected error|\n {4}at /);
  }
  await rm(path);
});

test(`${configs.length} wrong configurations of a model are each refused by their key`, async () => {
  const model = join(folder, 'model');
  await mkdir(model);
  const { default: base } = await import('../../../models/nano-base/config.json', { with: { type: 'json' } });
  for (const [change, expected] of configs) {
    const text = typeof change === 'string' ? change : JSON.stringify({ ...base, ...change });
    await writeFile(join(model, 'config.json'), text);
    saysClearly(await refusal(() => readModelFolder(model)), expected, titleOf(change));
  }
  await rm(model, { recursive: true });
});

test(`${commandLines.length} wrong command lines are each refused with one clear error`, async () => {
  for (const [args, expected] of commandLines) {
    const written: string[] = [];
    const program = await programFor(args);
    for (const command of [program, ...program.commands])
      command.configureOutput({ writeErr: (text) => void written.push(text) });
    const verdict = await refusal(() => program.parseAsync(args, { from: 'user' }));
    const text = `${written.join('')}${verdict.text}`;
    saysClearly({ text, exitCode: verdict.exitCode }, expected, args.join(' '));
  }
});

test('nothing was written by any of them', async () => {
  const left = await readdir(folder);
  assert.deepEqual(left.sort(), [
    'folder.yaml',
    'gguf',
    'large.yaml',
    'loop.yaml',
    'loop2.yaml',
    'model.gguf',
  ]);
});

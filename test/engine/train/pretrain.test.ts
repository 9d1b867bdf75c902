import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { nanoExample } from '../../../algorithm/nano/corpus.ts';
import { sameNumerics } from '../../../algorithm/run/numerics-changes.ts';
import { pretrainingSchema, pretrainSchema } from '../../../contracts/pretrain.ts';
import { initialWeights } from '../../../engine/model/initial-weights.ts';
import { nanoModelConfig, nanoSequence, nanoTokenizer } from '../../../engine/model/nano-base.ts';
import { openRuntime } from '../../../engine/runtime/runtime.ts';
import { pretrain } from '../../../engine/train/pretrain.ts';
import { readModelFolder } from '../../../engine/weights/model-folder.ts';
import { PROJECT_ROOT } from '../../../infra/paths.ts';

const recordOf = (name: string) => {
  const path = join(PROJECT_ROOT, 'models', name, 'pretraining.json');
  return pretrainingSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
};
const record = recordOf('nano-base');
const config = nanoModelConfig(record.options.architecture);
const tokenizer = nanoTokenizer(config);
const runtime = openRuntime({ threads: record.numerics.threads });

const start = (steps: number) =>
  pretrain({
    runtime,
    config,
    options: record.options,
    sequenceOf: (example) => nanoSequence(tokenizer, example),
    stopAfter: steps,
  });

for (const name of ['nano-base', 'nano-student', 'nano-student-medium']) {
  test(`${name} was made as its recipe says, and is whole`, async () => {
    const recipe = pretrainSchema.parse(
      parse(readFileSync(join(PROJECT_ROOT, 'recipes', `${name}.yaml`), 'utf8')),
    );
    const { options, digests } = recordOf(name);
    assert.deepEqual(options, recipe);
    const { digest, config: shipped } = await readModelFolder(join(PROJECT_ROOT, 'models', name));
    assert.equal(digest, digests[recipe.max_steps]);
    assert.deepEqual(shipped, nanoModelConfig(options.architecture));
  });
}

test('pre-training begins from the same bits anywhere, and under equal numerics goes on in them', async () => {
  const { record: made } = await start(sameNumerics(runtime.numerics, record.numerics) ? 20 : 1);
  assert.equal(made.digests[0], record.digests[0]);
  if (!sameNumerics(runtime.numerics, record.numerics)) return;
  assert.equal(made.digests[1], record.digests[1]);
  assert.equal(made.digests[20], record.digests[20]);
});

test('the loss falls from that of chance', async () => {
  const losses: number[] = [];
  await pretrain({
    runtime,
    config,
    options: { ...record.options, batch_size: 16 },
    sequenceOf: (example) => nanoSequence(tokenizer, example),
    stopAfter: 15,
    onStep: ({ loss }) => losses.push(loss),
  });
  const [first = 0] = losses;
  assert(Math.abs(first - Math.log(config.vocab_size)) < 0.1, `first loss ${first}`);
  assert((losses.at(-1) ?? 9) < first - 0.1, `losses ${losses}`);
});

test('an example is learned as the chat template asks it, with the end token after the response', () => {
  const example = nanoExample(0, 0n);
  const { promptTokens, completionTokens } = nanoSequence(tokenizer, example);
  assert.equal(tokenizer.decode(promptTokens), `<|user|>${example.problem}<|assistant|>`);
  assert.equal(tokenizer.decode(completionTokens), `${example.response}<|eos|>`);
});

test('fresh weights are normal with the configured deviation; scales are one', () => {
  const weights = initialWeights(config, 0n);
  const matrix = weights.get('model.layers.0.mlp.up_proj.weight')?.data ?? new Float32Array();
  const meanOf = (values: Float32Array) => values.reduce((sum, value) => sum + value, 0) / values.length;
  assert(Math.abs(meanOf(matrix)) < 5e-4);
  const deviation = Math.sqrt(meanOf(matrix.map((value) => value * value)));
  assert(Math.abs(deviation / config.initializer_range - 1) < 0.02, `deviation ${deviation}`);
  assert(weights.get('model.norm.weight')?.data.every((value) => value === 1));
});

test('every tensor draws from a seed of its own', () => {
  const name = 'model.layers.0.mlp.up_proj.weight';
  const smaller = initialWeights({ ...config, num_hidden_layers: 1, vocab_size: 10 }, 0n);
  assert.deepEqual(smaller.get(name)?.data, initialWeights(config, 0n).get(name)?.data);
  assert.notDeepEqual(smaller.get(name)?.data, initialWeights(config, 1n).get(name)?.data);
});

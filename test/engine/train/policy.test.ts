import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { TensorMap } from '../../../engine/graph/tensor.ts';
import { openRuntime } from '../../../engine/runtime/runtime.ts';
import { createPolicy, type Policy } from '../../../engine/train/policy.ts';
import type { TrainBatch } from '../../../engine/train/train-batch.ts';
import { grpoBatch, grpoOptions, nanoConfig, randomPolicy, tinyConfig } from '../fixtures.ts';

const runtime = openRuntime({ threads: 1, spinning: false });
const ragged = { config: tinyConfig, rows: 13, promptLength: 9, completionLength: 21, ragged: true, seed: 3 };

function digestOfProcess(threads: number): string {
  const script = fileURLToPath(new URL('./train-digest.ts', import.meta.url));
  return execFileSync(process.execPath, ['--import', 'tsx', script, String(threads)], {
    encoding: 'utf8',
  }).trim();
}

test('train steps leave the same bits in another process, and with two threads', () => {
  const digest = digestOfProcess(1);
  assert.match(digest, /^[0-9a-f]{64}$/);
  assert.equal(digestOfProcess(1), digest);
  assert.equal(digestOfProcess(2), digest);
});

function copies(tensors: TensorMap): Map<string, Float32Array> {
  return new Map([...tensors].map(([name, { data }]) => [name, data.slice()]));
}

test('computing the gradients of a batch again gives the same bits', () => {
  const policy = randomPolicy({ runtime, config: nanoConfig, seed: 1 });
  const batch = grpoBatch({ ...ragged, config: nanoConfig });
  policy.computeGradients(batch);
  const first = copies(policy.gradients);
  policy.computeGradients(batch);
  assert.deepEqual(copies(policy.gradients), first);
  policy.dispose();
});

test('memory that is returned between calls changes no bit', () => {
  const batch = grpoBatch({ ...ragged, config: nanoConfig });
  const [kept, freed] = [false, true].map((freeBetweenCalls) => {
    const options = { runtime, config: nanoConfig, seed: 1, maxMicroBatchTokens: 64, freeBetweenCalls };
    const policy = randomPolicy(options);
    const results = [1, 2].map((step) => policy.trainStep({ ...batch, options: { ...batch.options, step } }));
    const scores = policy.logprobs(batch.sequences, { temperature: 1, of: 'policy' });
    const found = { results, scores, weights: copies(policy.weights) };
    policy.dispose();
    return found;
  });
  assert.deepEqual(freed, kept);
});

function distance(a: ReadonlyMap<string, Float32Array>, b: ReadonlyMap<string, Float32Array>): number {
  return Math.max(
    ...[...a].map(([name, values]) => {
      const other = b.get(name) ?? new Float32Array();
      return Math.hypot(...values.map((value, i) => value - (other[i] ?? 0))) / Math.hypot(...values);
    }),
  );
}

function gradientsOf(batch: TrainBatch, maxMicroBatchTokens: number): Map<string, Float32Array> {
  const policy = randomPolicy({ runtime, config: tinyConfig, seed: 2, maxMicroBatchTokens });
  policy.computeGradients(batch);
  const gradients = copies(policy.gradients);
  policy.dispose();
  return gradients;
}

test('micro-batches add up to the gradient of the whole batch', (t) => {
  const batch = grpoBatch(ragged);
  const error = distance(gradientsOf(batch, 100_000), gradientsOf(batch, 32));
  t.diagnostic(`relative difference ${error.toExponential(1)}`);
  assert.ok(error < 1e-5);
});

test("scored log-probabilities are the training pass's, bit for bit", () => {
  const policy = randomPolicy({ runtime, config: tinyConfig, seed: 2 });
  const batch = grpoBatch(ragged);
  const options = { ...batch.options, temperature: 0.8 };
  const { logprobs } = policy.logprobs(batch.sequences, { temperature: 0.8, of: 'policy' });
  assert.deepEqual(policy.computeGradients({ ...batch, options }).logprobs, logprobs);
  policy.dispose();
});

test("the training pass's own log-probabilities and the same ones supplied give one gradient", () => {
  const policy = randomPolicy({ runtime, config: tinyConfig, seed: 2 });
  const batch = grpoBatch(ragged);
  const { logprobs, ratioMean, ratioMax } = policy.computeGradients(batch);
  const own = copies(policy.gradients);
  policy.computeGradients({ ...batch, oldLogprobs: logprobs });
  assert.deepEqual(copies(policy.gradients), own);
  assert.deepEqual([ratioMean, ratioMax], [1, 1]);
  policy.dispose();
});

test('the entropy of a policy without preference is the logarithm of the vocabulary', () => {
  const policy = randomPolicy({ runtime, config: tinyConfig, seed: 2 });
  for (const tensor of policy.weights.values()) tensor.data.fill(0);
  const { entropies } = policy.logprobs(grpoBatch(ragged).sequences, { temperature: 1, of: 'policy' });
  for (const value of entropies.flatMap((values) => [...values])) {
    assert.ok(Math.abs(value - Math.log(tinyConfig.vocab_size)) < 1e-6);
  }
  policy.dispose();
});

test('repeated steps on one batch raise the probability of what was rewarded', () => {
  const policy = randomPolicy({ runtime, config: tinyConfig, seed: 2 });
  const batch = grpoBatch(ragged);
  const unclipped = { ...grpoOptions, learning_rate: 3e-3, epsilon: 10, epsilon_high: 10 };
  const first = policy.trainStep({ ...batch, options: unclipped });
  for (let step = 2; step <= 10; step += 1) policy.trainStep({ ...batch, options: { ...unclipped, step } });
  const { loss } = policy.computeGradients({ ...batch, oldLogprobs: first.logprobs, options: unclipped });
  assert.ok(loss < first.loss - 0.1, `${loss} after ${first.loss}`);
  policy.dispose();
});

test('a cross-entropy step makes the given completions likelier', () => {
  const policy = randomPolicy({ runtime, config: tinyConfig, seed: 2 });
  const { sequences, tokenWeights } = grpoBatch(ragged);
  const losses = Array.from({ length: 10 }, (_, index) => {
    return policy.sftStep({
      sequences,
      tokenWeights,
      options: { ...grpoOptions, learning_rate: 3e-3, step: index + 1 },
    }).loss;
  });
  assert.ok((losses.at(-1) ?? 0) < (losses[0] ?? 0) - 0.3, String(losses));
  policy.dispose();
});

test('the reference is a copy that moves only when it is refreshed', () => {
  const policy = randomPolicy({ runtime, config: tinyConfig, seed: 2 });
  const batch = grpoBatch(ragged);
  assert.throws(() => policy.logprobs(batch.sequences, { temperature: 1, of: 'reference' }), /setReference/);
  policy.setReference();
  const before = policy.logprobs(batch.sequences, { temperature: 1, of: 'reference' });
  policy.trainStep({ ...batch, options: { ...grpoOptions, learning_rate: 1e-2 } });
  assert.deepEqual(policy.logprobs(batch.sequences, { temperature: 1, of: 'reference' }), before);
  const { kl } = policy.computeGradients({ ...batch, refLogprobs: before.logprobs });
  assert.ok(kl > 0);
  policy.refreshReference(1);
  const after = policy.logprobs(batch.sequences, { temperature: 1, of: 'reference' });
  assert.deepEqual(after, policy.logprobs(batch.sequences, { temperature: 1, of: 'policy' }));
  policy.dispose();
});

test('a refresh by a quarter moves the reference a quarter of the way', () => {
  const policy = randomPolicy({ runtime, config: tinyConfig, seed: 2 });
  policy.setReference();
  for (const tensor of policy.weights.values()) tensor.data.fill(2);
  for (const tensor of policy.reference?.values() ?? []) tensor.data.fill(1);
  policy.refreshReference(0.25);
  for (const tensor of policy.reference?.values() ?? [])
    assert.ok(tensor.data.every((value) => value === 1.25));
  policy.dispose();
});

function refusal(change: (batch: TrainBatch) => TrainBatch): () => void {
  return () => {
    const policy = randomPolicy({ runtime, config: tinyConfig, seed: 2 });
    const before = copies(policy.weights);
    try {
      policy.trainStep(change(grpoBatch(ragged)));
    } finally {
      assert.deepEqual(copies(policy.weights), before);
      policy.dispose();
    }
  };
}

test('a batch that cannot be trained on is refused and leaves the weights alone', () => {
  const empty = { promptTokens: new Int32Array(), completionTokens: Int32Array.of(1) };
  const alien = { promptTokens: Int32Array.of(1), completionTokens: Int32Array.of(99) };
  const long = { promptTokens: Int32Array.of(1), completionTokens: new Int32Array(64) };
  const withFirst = (first: TrainBatch['sequences'][number]) => (batch: TrainBatch) => {
    const tokenWeights = batch.tokenWeights.with(0, new Float32Array(first.completionTokens.length));
    return { ...batch, tokenWeights, sequences: batch.sequences.with(0, first) };
  };
  assert.throws(refusal(withFirst(empty)), /Sequence 0 has an empty prompt/);
  assert.throws(refusal(withFirst(alien)), /Sequence 0 has token 99; expected 0 to 10/);
  assert.throws(refusal(withFirst(long)), /Sequence 0 has 65 tokens; the model has 64 positions/);
  assert.throws(
    refusal((batch) => ({ ...batch, advantagesB: [1] })),
    /13 sequences has 1 advantages/,
  );
  assert.throws(
    refusal((batch) => ({ ...batch, tokenWeights: [] })),
    /tokenWeights of sequence 0 has 0 values/,
  );
  const advantagesB = Array.from({ length: 13 }, () => Number.NaN);
  assert.throws(
    refusal((batch) => ({ ...batch, advantagesB })),
    /gradient's norm at step 1 is NaN/,
  );
});

test('weights that do not fit the configuration are refused by name', () => {
  const policy: Policy = randomPolicy({ runtime, config: tinyConfig, seed: 2 });
  const config = { ...tinyConfig, tie_word_embeddings: false };
  assert.throws(
    () => createPolicy({ runtime, config, weights: policy.weights }),
    /lm_head.weight is missing/,
  );
  policy.dispose();
});

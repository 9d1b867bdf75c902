import assert from 'node:assert/strict';
import { test } from 'node:test';
import { initialWeights, type Model, withScoreHead } from '../../../engine/model/initial-weights.ts';
import { formatModelConfig } from '../../../engine/model/model-config.ts';
import { openRuntime } from '../../../engine/runtime/runtime.ts';
import { PolicyService, type SupervisedArrays } from '../../../engine/service/policy-service.ts';
import { digestInPieces, digestTensors } from '../../../engine/weights/digest.ts';
import { encodeSafetensors } from '../../../engine/weights/safetensors.ts';
import { tinyConfig } from '../fixtures.ts';

const runtime = openRuntime({ threads: 1, spinning: false });

const config = { ...tinyConfig, head_dim: 8, pad_token_id: 0 };
const policy: Model = { config, weights: initialWeights(config, 3n) };
const reward = withScoreHead(policy, 4n);

const fileOf = (model: Model) => ({
  config: JSON.parse(formatModelConfig(model.config)),
  model: encodeSafetensors(model.weights),
});
const loadOf = (model: Model) => ({
  ...fileOf(model),
  moments: null,
  reference: null,
  withReference: false,
});

const arrays: SupervisedArrays = {
  objective: 'sft',
  promptsN: [Int32Array.of(1, 2), Int32Array.of(3), Int32Array.of(1, 2), Int32Array.of(3)],
  completionsN: [Int32Array.of(4, 5), Int32Array.of(6), Int32Array.of(7), Int32Array.of(8, 9, 10)],
  lossWeightsN: new Float32Array(4).fill(0.25),
  labelsN: null,
  packing: false,
  numbers: {
    learning_rate: 1e-2,
    max_grad_norm: 1,
    weight_decay: 0,
    adam_beta1: 0.9,
    adam_beta2: 0.999,
    adam_epsilon: 1e-8,
    adam_step: 1,
  },
  digestAfter: true,
};
const labels = Float32Array.of(1, 0, 0, 1);

function steps(service: PolicyService, change: Partial<SupervisedArrays>, count: number) {
  return Array.from({ length: count }, (_, index) => {
    const numbers = { ...arrays.numbers, adam_step: index + 1 };
    return service.trainSupervised({ ...arrays, ...change, numbers });
  });
}

test('supervised steps lower the loss of a policy, packed or not', () => {
  for (const packing of [false, true]) {
    const service = new PolicyService(runtime);
    service.load(loadOf(policy));
    const trained = steps(service, { packing }, 20);
    assert.ok((trained[19]?.metrics.loss ?? 9) < (trained[0]?.metrics.loss ?? 0) - 0.2);
    assert.equal(trained[0]?.metrics.tokensTrained, 7);
    assert.ok((trained[0]?.metrics.entropy ?? 0) > 0);
    service.release();
  }
});

test('a checkpoint with a scalar head is trained on preferences, staged and loaded again', async () => {
  const service = new PolicyService(runtime);
  for (const change of [{ objective: 'pairwise' }, { objective: 'pointwise', labelsN: labels }] as const) {
    const loaded = service.load(loadOf(reward));
    const trained = steps(service, change, 30);
    assert.equal(trained.at(-1)?.metrics.accuracy, 1, change.objective);
    assert.equal(trained.at(-1)?.metrics.entropy, null);
    assert.notEqual(trained[0]?.digestAfter, loaded.digests.weights);
    const staged = service.stage();
    const digests = {
      weights: await digestInPieces(staged.weights),
      moments: await digestInPieces(staged.moments),
      reference: null,
    };
    assert.equal(digests.weights, trained.at(-1)?.digestAfter);
    const again = service.load({
      ...loadOf(reward),
      model: encodeSafetensors(staged.weights),
      moments: encodeSafetensors(staged.moments),
    });
    assert.deepEqual(again.digests, digests);
  }
  service.release();
});

test('a model that only scores stands beside the one that is trained', async () => {
  const service = new PolicyService(runtime);
  service.load(loadOf(reward));
  const sequencesN = arrays.completionsN;
  const { digest } = service.loadScorer({ name: 'safety', ...fileOf(reward) });
  assert.equal(digest, digestTensors(service.stage().weights));
  const before = service.score({ name: 'safety', sequencesN });
  assert.deepEqual(service.score({ name: null, sequencesN }), before);
  steps(service, { objective: 'pairwise' }, 1);
  assert.deepEqual(service.score({ name: 'safety', sequencesN }), before);
  assert.notDeepEqual(service.score({ name: null, sequencesN }), before);
  service.dropScorer('safety');
  assert.throws(() => service.score({ name: 'safety', sequencesN }), /reward model safety, found none/);
  service.release();
});

test('an objective that the held model does not have is refused', () => {
  const service = new PolicyService(runtime);
  assert.throws(() => service.trainSupervised(arrays), /expected a loaded policy, found none/);
  service.load(loadOf(policy));
  assert.throws(
    () => steps(service, { objective: 'pairwise' }, 1),
    /expected a reward model, found a policy/,
  );
  assert.throws(() => service.score({ name: null, sequencesN: [] }), /expected a loaded reward model/);
  assert.throws(
    () => service.loadScorer({ name: 'x', ...fileOf(policy) }),
    /expected a reward model \("LlamaForSequenceClassification"\)/,
  );
  service.load(loadOf(reward));
  assert.throws(() => steps(service, {}, 1), /expected a policy, found a reward-model/);
  assert.throws(
    () => service.logprobs(arrays, 1, 'policy'),
    /expected a policy, found a reward model: load a checkpoint that generates/,
  );
  service.release();
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type AdamWOptions,
  adamWUpdate,
  clipFactor,
  decays,
  globalNorm,
} from '../../../engine/train/adamw.ts';
import { normal } from '../fixtures.ts';

const options: AdamWOptions = {
  learning_rate: 3e-3,
  adam_beta1: 0.9,
  adam_beta2: 0.99,
  adam_epsilon: 1e-8,
  weight_decay: 0.1,
  step: 1,
};

/** The published algorithm in float64, term by term. */
function reference(weight: number[], gradients: number[][], decay: number): number[] {
  const m = weight.map(() => 0);
  const v = weight.map(() => 0);
  let w = weight;
  gradients.forEach((gradient, index) => {
    const t = index + 1;
    w = w.map((value, i) => {
      const g = gradient[i] ?? 0;
      m[i] = options.adam_beta1 * (m[i] ?? 0) + (1 - options.adam_beta1) * g;
      v[i] = options.adam_beta2 * (v[i] ?? 0) + (1 - options.adam_beta2) * g ** 2;
      const mHat = (m[i] ?? 0) / (1 - options.adam_beta1 ** t);
      const vHat = (v[i] ?? 0) / (1 - options.adam_beta2 ** t);
      const decayed = value - options.learning_rate * decay * value;
      return decayed - (options.learning_rate * mHat) / (Math.sqrt(vHat) + options.adam_epsilon);
    });
  });
  return w;
}

for (const [name, decay] of [
  ['model.layers.0.mlp.up_proj.weight', 0.1],
  ['model.norm.weight', 0],
] as const) {
  test(`twenty updates of ${name} agree with float64 within float32's rounding`, () => {
    const draw = normal(1);
    const start = Float32Array.from({ length: 50 }, draw);
    const gradients = Array.from({ length: 20 }, () => Float32Array.from({ length: 50 }, draw));
    const weight = start.slice();
    const [expAvg, expAvgSq] = [new Float32Array(50), new Float32Array(50)];
    gradients.forEach((gradient, index) => {
      adamWUpdate({ name, weight, gradient, expAvg, expAvgSq }, 1, { ...options, step: index + 1 });
    });
    const expected = reference(
      [...start],
      gradients.map((gradient) => [...gradient]),
      decay,
    );
    weight.forEach((value, i) => {
      assert.ok(Math.abs(value - (expected[i] ?? 0)) < 2e-6, `${value} and ${expected[i]}`);
    });
  });
}

test('weight decay is for matrices: norms and biases are left out', () => {
  assert.equal(decays('model.embed_tokens.weight'), true);
  assert.equal(decays('model.layers.3.self_attn.q_proj.weight'), true);
  assert.equal(decays('model.layers.3.self_attn.q_proj.bias'), false);
  assert.equal(decays('model.layers.3.input_layernorm.weight'), false);
  assert.equal(decays('model.norm.weight'), false);
});

test('the global norm is over all tensors together', () => {
  assert.equal(globalNorm([Float32Array.of(3, 0), Float32Array.of(4)]), 5);
});

test('a gradient is clipped to the limit, never scaled up, and left alone without a limit', () => {
  assert.ok(Math.abs(clipFactor(5, 1) * 5 - 1) < 1e-6);
  assert.equal(clipFactor(0.5, 1), 1);
  assert.equal(clipFactor(1e9, 0), 1);
});

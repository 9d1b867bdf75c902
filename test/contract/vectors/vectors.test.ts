import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import losses from '../../../contracts/vectors/losses.json' with { type: 'json' };
import { backward } from '../../../engine/graph/gradients.ts';
import { Graph } from '../../../engine/graph/graph.ts';
import { serialize } from '../../../engine/graph/onnx.ts';
import * as op from '../../../engine/graph/operators.ts';
import { openRuntime } from '../../../engine/runtime/runtime.ts';
import { buildObjective } from '../../../engine/train/losses.ts';
import { PROJECT_ROOT } from '../../../infra/paths.ts';
import { type LossInput, policyLoss } from './losses.ts';
import { vectorFiles } from './vectors.ts';

test('the committed vectors are those of the code; `npm run vectors` writes them', () => {
  const folder = join(PROJECT_ROOT, 'contracts', 'vectors');
  const files = vectorFiles();
  assert.deepEqual(readdirSync(folder).sort(), [...files.keys()].sort());
  for (const [name, text] of files) assert.equal(readFileSync(join(folder, name), 'utf8'), text, name);
});

const closeTo = (found: number, expected: number, tolerance: number, what: string) =>
  assert.ok(Math.abs(found - expected) <= tolerance, `${what}: expected ${expected}, found ${found}`);

for (const vector of losses) {
  const frozen: LossInput = {
    ...vector,
    // Finite differences move the pass's log-probabilities, but not what was taken from it without a gradient.
    oldT: vector.oldT ?? vector.logprobsT,
    referenceT: vector.referenceT ?? vector.logprobsT,
  };

  test(`finite differences give the gradient of ${vector.what}`, () => {
    const h = 1e-6;
    vector.logprobsT.forEach((logprob, t) => {
      const lossAt = (value: number) =>
        policyLoss({ ...frozen, logprobsT: vector.logprobsT.with(t, value) }).loss;
      const slope = (lossAt(logprob + h) - lossAt(logprob - h)) / (2 * h);
      closeTo(slope, vector.gradientT[t] ?? Number.NaN, 1e-8, `token ${t}`);
    });
  });

  test(`the engine's objective has the loss and the gradient of ${vector.what}`, () => {
    const found = byEngine(vector);
    closeTo(found.loss, vector.loss, 1e-5, 'loss');
    vector.gradientT.forEach((expected, t) => {
      closeTo(found.gradientT[t] ?? Number.NaN, expected, 1e-6, `token ${t}`);
    });
  });
}

test('the vectors of losses have ratios below, within and above the range, for advantages of both signs', () => {
  const [grpo] = losses;
  const kinds = new Set<string>();
  let t = 0;
  grpo?.lengthsN.forEach((length, n) => {
    for (const end = t + length; t < end; t++) {
      const ratio = Math.exp((grpo.logprobsT[t] ?? 0) - (grpo.oldT?.[t] ?? 0));
      const where = ratio < 0.8 ? 'below' : ratio > 1.2 ? 'above' : 'within';
      kinds.add(`${where} ${Math.sign(grpo.advantagesN[n] ?? 0)}`);
    }
  });
  assert.equal(kinds.size, 6);
});

const runtime = openRuntime({ threads: 1, spinning: false });

function byEngine({ numbers, ...vector }: (typeof losses)[number]): { loss: number; gradientT: number[] } {
  const graph = new Graph();
  const logprobs = graph.input('logprobs', 'float32', ['R']);
  const { objective } = buildObjective(graph, { loss: 'grpo', level: 'token' }, logprobs);
  const weights = graph.input('tokenWeights', 'float32', ['R']);
  const from = { value: objective, cotangent: op.neg(weights) };
  const gradient = backward({ from, to: new Map([[logprobs, undefined]]) }).get(logprobs);
  assert.ok(gradient);
  graph.output('gradient', gradient);
  graph.output('objective', objective);
  const perToken = (valuesN: number[]) =>
    vector.lengthsN.flatMap((length, n) => new Array<number>(length).fill(valuesN[n] ?? 0));
  const weightsT = perToken(vector.lossWeightsN).map((w, t) => w * (vector.tokenWeightsT?.[t] ?? 1));
  const tokens = {
    logprobs: vector.logprobsT,
    advantages: perToken(vector.advantagesN),
    tokenWeights: weightsT,
    oldLogprobs: vector.oldT ?? vector.logprobsT.map(() => 0),
    refLogprobs: vector.referenceT ?? vector.logprobsT.map(() => 0),
  };
  const scalars = {
    ratioLow: 1 - numbers.epsilon,
    ratioHigh: 1 + numbers.epsilon_high,
    delta: numbers.delta ?? Number.POSITIVE_INFINITY,
    beta: numbers.beta,
  };
  const flags = {
    ownOld: vector.oldT === null,
    ownRef: vector.referenceT === null,
    correctKl: numbers.use_bias_correction_kl,
  };
  const inputs = {
    ...mapped(tokens, (values) => runtime.createTensor('float32', [values.length], values)),
    ...mapped(scalars, (value) => runtime.createTensor('float32', [], [value])),
    ...mapped(flags, (value) => runtime.createTensor('bool', [], [Number(value)])),
  };
  const { objective: values, gradient: slopes } = runtime
    .createSession(serialize(graph))
    .run(inputs, { objective: null, gradient: null });
  const floats = (data: ArrayLike<number | bigint> | undefined) => Array.from(data ?? [], Number);
  const loss = -floats(values?.data).reduce((sum, value, t) => sum + value * (weightsT[t] ?? 0), 0);
  return { loss, gradientT: floats(slopes?.data) };
}

function mapped<Name extends string, Value, Result>(
  values: Record<Name, Value>,
  change: (value: Value) => Result,
): Record<Name, Result> {
  const entries = Object.entries(values) as [Name, Value][];
  return Object.fromEntries(entries.map(([name, value]) => [name, change(value)])) as Record<Name, Result>;
}

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RULES } from '../../../engine/graph/gradient-rules.ts';
import { backward } from '../../../engine/graph/gradients.ts';
import { Graph, OPERATORS, type Value } from '../../../engine/graph/graph.ts';
import { serialize } from '../../../engine/graph/onnx.ts';
import * as op from '../../../engine/graph/operators.ts';
import { openRuntime } from '../../../engine/runtime/runtime.ts';

const runtime = openRuntime({ threads: 1, spinning: false });

test('every operator has a rule or is declared not differentiable', () => {
  assert.deepEqual(Object.keys(RULES).sort(), Object.keys(OPERATORS).sort());
});

/** d Σ f(x) / dx at the given elements. */
function derivative(f: (x: Value) => Value, values: number[]): number[] {
  const graph = new Graph();
  const x = graph.input('x', 'float32', ['N']);
  const y = f(x);
  const ones = graph.input('ones', 'float32', ['N']);
  const gradients = backward({ from: { value: y, cotangent: ones }, to: new Map([[x, undefined]]) });
  const gradient = gradients.get(x);
  assert.ok(gradient);
  graph.output('gradient', gradient);
  const session = runtime.createSession(serialize(graph));
  const tensors = {
    x: runtime.createTensor('float32', [values.length], values),
    ones: runtime.createTensor(
      'float32',
      [values.length],
      values.map(() => 1),
    ),
  };
  const inputs = Object.fromEntries(
    Object.entries(tensors).filter(([name]) => session.inputNames.includes(name)),
  );
  const { gradient: result } = session.run(inputs, { gradient: null });
  return Array.from(result?.data ?? [], Number);
}

const elementwise: [string, (x: Value) => Value, (x: number) => number][] = [
  ['x·x', (x) => op.mul(x, x), (x) => 2 * x],
  ['3 − x', (x) => op.sub(3, x), () => -1],
  ['2/x', (x) => op.div(2, x), (x) => -2 / x ** 2],
  ['x/x², one value twice', (x) => op.div(x, op.mul(x, x)), (x) => -1 / x ** 2],
  ['e^x', op.exp, Math.exp],
  ['σ(x)', op.sigmoid, (x) => Math.exp(-x) / (1 + Math.exp(-x)) ** 2],
  ['min(x, 1)', (x) => op.min(x, 1), (x) => (x <= 1 ? 1 : 0)],
  ['max(x, 1)', (x) => op.max(x, 1), (x) => (x >= 1 ? 1 : 0)],
  ['x·stop_gradient(x)', (x) => op.mul(x, op.stopGradient(x)), (x) => x],
  ['stop_gradient(e^x) + x', (x) => op.add(op.stopGradient(op.exp(x)), x), () => 1],
];

for (const [name, f, expected] of elementwise) {
  test(`the derivative of ${name} is right`, () => {
    const xs = [-1.5, 0.25, 1, 2.5];
    derivative(f, xs).forEach((found, i) => {
      assert.ok(Math.abs(found - expected(xs[i] ?? 0)) < 1e-5, `${found} at ${xs[i]}`);
    });
  });
}

test('a gradient that reaches no input is an error', () => {
  assert.throws(() => derivative((x) => op.stopGradient(x), [1]), /No gradient reaches "x"/);
});

test('a gradient that would flow through an operator without a rule is an error', () => {
  assert.throws(() => derivative((x) => op.oneHot(op.cast(x, 'int64'), 3), [1]), /has no rule/);
});

for (const rows of [50, 5000]) {
  test(`the gradient of a table of ${rows} rows adds up repeated rows, the same bits every time`, () => {
    const graph = new Graph();
    const table = graph.input('table', 'float32', [rows, 8]);
    const indices = graph.input('indices', 'int64', ['N']);
    const y = op.gather(table, indices);
    const cotangent = graph.input('cotangent', 'float32', ['N', 8]);
    const gradient = backward({ from: { value: y, cotangent }, to: new Map([[table, undefined]]) }).get(
      table,
    );
    assert.ok(gradient);
    graph.output('gradient', gradient);
    const session = runtime.createSession(serialize(graph));
    const count = 4000;
    const at = Array.from({ length: count }, (_, n) => (n * 7919) % 37);
    const values = Array.from({ length: count * 8 }, (_, i) => Math.sin(i));
    const expected = new Float64Array(rows * 8);
    values.forEach((value, i) => {
      const index = (at[i >> 3] ?? 0) * 8 + (i & 7);
      expected[index] = (expected[index] ?? 0) + value;
    });
    const inputs = {
      table: runtime.createTensor('float32', [rows, 8]),
      indices: runtime.createTensor('int64', [count], at.map(BigInt)),
      cotangent: runtime.createTensor('float32', [count, 8], values),
    };
    const used = Object.fromEntries(
      Object.entries(inputs).filter(([name]) => session.inputNames.includes(name)),
    );
    const results = Array.from({ length: 4 }, () =>
      Array.from(session.run(used, { gradient: null }).gradient?.data ?? [], Number),
    );
    for (const result of results) assert.deepEqual(result, results[0]);
    results[0]?.forEach((found, i) => {
      assert.ok(Math.abs(found - (expected[i] ?? 0)) < 1e-3);
    });
  });
}

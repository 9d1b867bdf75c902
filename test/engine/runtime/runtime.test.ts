import assert from 'node:assert/strict';
import { test } from 'node:test';
import { numericsSchema } from '../../../contracts/numerics.ts';
import { Graph } from '../../../engine/graph/graph.ts';
import { serialize } from '../../../engine/graph/onnx.ts';
import * as op from '../../../engine/graph/operators.ts';
import { openRuntime } from '../../../engine/runtime/runtime.ts';

const runtime = openRuntime({ threads: 1, spinning: false });

function addingGraph(): Graph {
  const graph = new Graph();
  const [a, b] = [graph.input('a', 'float32', ['N', 2]), graph.input('b', 'float32', [2])];
  graph.output('sum', op.add(a, b));
  return graph;
}

test('a tensor given as input and as output is updated in place', () => {
  const session = runtime.createSession(serialize(addingGraph()));
  const a = runtime.createTensor('float32', [2, 2], [1, 2, 3, 4]);
  const b = runtime.createTensor('float32', [2], [10, 20]);
  const call = session.bind({ a, b }, { sum: a });
  call.run();
  call.run();
  assert.deepEqual([...a.data], [21, 42, 23, 44]);
  call.dispose();
  for (const held of [a, b, session]) held.dispose();
});

test('an output that nobody preallocated comes with its shape', () => {
  const session = runtime.createSession(serialize(addingGraph()));
  const a = runtime.createTensor('float32', [3, 2]);
  const b = runtime.createTensor('float32', [2], [1, 2]);
  const { sum } = session.run({ a, b }, { sum: null });
  assert.deepEqual(sum?.shape, [3, 2]);
  assert.deepEqual([...(sum?.data ?? [])], [1, 2, 1, 2, 1, 2]);
  sum?.dispose();
  for (const held of [a, b, session]) held.dispose();
});

test('a session refuses missing and unknown names, naming them', () => {
  const session = runtime.createSession(serialize(addingGraph()));
  const a = runtime.createTensor('float32', [1, 2]);
  assert.throws(() => session.run({ a, c: a }, { sum: null }), /Missing inputs: b; unknown names: c/);
  for (const held of [a, session]) held.dispose();
});

test("the runtime's own errors become errors with its message", () => {
  const session = runtime.createSession(serialize(addingGraph()));
  const [a, b] = [runtime.createTensor('float32', [1, 3]), runtime.createTensor('float32', [2])];
  assert.throws(() => session.run({ a, b }, { sum: null }), /Got: 3 Expected: 2/);
  assert.throws(() => runtime.createSession(Uint8Array.of(1, 2, 3)), /ONNX Runtime: /);
  for (const held of [a, b, session]) held.dispose();
});

test('a tensor is not to be used after it was disposed of', () => {
  const tensor = runtime.createTensor('int64', [2], [1n, 2n]);
  tensor.dispose();
  assert.throws(() => tensor.data, /used after dispose/);
});

test('a tensor takes exactly as many elements as its shape has', () => {
  assert.throws(() => runtime.createTensor('float32', [2, 2], [1, 2, 3]), /has 4 elements; 3 were given/);
});

test('the threads are set once per process', () => {
  assert.equal(openRuntime(), runtime);
  assert.throws(() => openRuntime({ threads: 7 }), /open with 1 threads/);
});

test('the numerics that the runtime declares are such as a log record takes', () => {
  const numerics = numericsSchema.parse(runtime.numerics);
  assert.equal(numerics.threads, 1);
  assert.match(numerics.version, /^\d+\.\d+\.\d+$/);
});

test('the memory that a session keeps for its next run is returned after a run that frees it', () => {
  const graph = new Graph();
  const x = graph.input('x', 'float32', ['N']);
  graph.output('sum', op.reduceSum(op.exp(op.neg(op.exp(x))), [0]));
  const session = runtime.createSession(serialize(graph));
  const elements = 2 ** 25;
  // The first region of a session's arena stays: it should be a small one.
  const small = { x: runtime.createTensor('float32', [16]) };
  const inputs = { x: runtime.createTensor('float32', [elements]) };
  const before = process.memoryUsage.rss();
  const sum = runtime.createTensor('float32', [1]);
  session.run(small, { sum });
  session.run(inputs, { sum });
  const kept = process.memoryUsage.rss() - before;
  session.run(inputs, { sum }, { freeAfter: true });
  const left = process.memoryUsage.rss() - before;
  // Two intermediate values are alive at once.
  assert.ok(kept > 4 * elements, `${kept} bytes are kept`);
  assert.ok(left < kept / 4, `${left} of ${kept} bytes are left`);
  session.dispose();
});

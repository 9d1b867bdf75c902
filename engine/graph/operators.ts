/**
 * Functions that build graphs, one per operator; each infers the shape of its output. Formulas in
 * transformer.ts, losses.ts and gradient-rules.ts read like mathematics.
 */
import type { Dim, OpKind, Shape, Value, ValueType } from './graph.ts';
import type { DType } from './tensor.ts';

/** A value, or a number that becomes a scalar constant. */
export type Operand = Value | number;

function one(values: readonly Value[]): Value {
  const [value] = values;
  if (value === undefined) throw new Error('An operator without outputs was used as a value.');
  return value;
}

/** Adds an operator with one output. */
function make(
  op: OpKind,
  graph: Value['graph'],
  inputs: readonly (Value | null)[],
  type: ValueType,
  attributes = {},
): Value {
  return one(graph.node(op, inputs, attributes, [type]));
}

/** The size at an axis; negative axes count from the end. */
export function dim(value: Value, axis: number): Dim {
  const size = value.shape.at(axis);
  if (size === undefined) throw new Error(`A value of shape [${value.shape}] has no axis ${axis}.`);
  return size;
}

/** The same, for an axis whose size must be known when the graph is built. */
export function size(value: Value, axis: number): number {
  const found = dim(value, axis);
  if (typeof found === 'string') throw new Error(`Axis ${axis} of shape [${value.shape}] has no known size.`);
  return found;
}

/** Shape of an elementwise operation, by ONNX's (NumPy's) broadcasting. */
function broadcastShape(a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, index) => {
    const left = a.at(index - rank) ?? 1;
    const right = b.at(index - rank) ?? 1;
    const inA = index >= rank - a.length ? left : 1;
    const inB = index >= rank - b.length ? right : 1;
    if (inA !== inB && inA !== 1 && inB !== 1) {
      throw new Error(`Shapes [${a}] and [${b}] do not broadcast: sizes ${inA} and ${inB} differ.`);
    }
    return inA === 1 ? inB : inA;
  });
}

function binary(op: OpKind, a: Operand, b: Operand, dtype?: DType): Value {
  const graph = typeof a === 'number' ? (typeof b === 'number' ? undefined : b.graph) : a.graph;
  if (graph === undefined) throw new Error(`${op} of two numbers: compute it while building the graph.`);
  const left = typeof a === 'number' ? graph.scalar(a) : a;
  const right = typeof b === 'number' ? graph.scalar(b) : b;
  const type = { dtype: dtype ?? left.dtype, shape: broadcastShape(left.shape, right.shape) };
  return make(op, graph, [left, right], type);
}

export const add = (a: Operand, b: Operand): Value => binary('Add', a, b);
export const sub = (a: Operand, b: Operand): Value => binary('Sub', a, b);
export const mul = (a: Operand, b: Operand): Value => binary('Mul', a, b);
export const div = (a: Operand, b: Operand): Value => binary('Div', a, b);
export const min = (a: Operand, b: Operand): Value => binary('Min', a, b);
export const max = (a: Operand, b: Operand): Value => binary('Max', a, b);
export const lessOrEqual = (a: Operand, b: Operand): Value => binary('LessOrEqual', a, b, 'bool');

const unary =
  (op: OpKind) =>
  (x: Value): Value =>
    make(op, x.graph, [x], { dtype: x.dtype, shape: x.shape });

export const neg = unary('Neg');
export const exp = unary('Exp');
export const sigmoid = unary('Sigmoid');
export const stopGradient = unary('StopGradient');

/** Elements of `a` where the condition holds, else of `b`. */
export function where(condition: Value, a: Value, b: Value): Value {
  const shape = broadcastShape(condition.shape, broadcastShape(a.shape, b.shape));
  return make('Where', a.graph, [condition, a, b], { dtype: a.dtype, shape });
}

export function cast(x: Value, dtype: DType): Value {
  const to = { float32: 1, int32: 6, int64: 7, bool: 9 }[dtype];
  return make('Cast', x.graph, [x], { dtype, shape: x.shape }, { to });
}

/** Softmax over the last axis. */
export function softmax(x: Value): Value {
  return make('Softmax', x.graph, [x], { dtype: x.dtype, shape: x.shape }, { axis: -1 });
}

/** Log-softmax over the last axis. */
export function logSoftmax(x: Value): Value {
  return make('LogSoftmax', x.graph, [x], { dtype: x.dtype, shape: x.shape }, { axis: -1 });
}

/** Sum over axes, each kept with size 1. */
export function reduceSum(x: Value, axes: readonly number[]): Value {
  const inside = axes.map((axis) => (axis < 0 ? axis + x.shape.length : axis));
  const shape = x.shape.map((size, axis) => (inside.includes(axis) ? 1 : size));
  const inputs = [x, x.graph.integers(inside)];
  return make('ReduceSum', x.graph, inputs, { dtype: x.dtype, shape }, { keepdims: 1 });
}

export function transpose(x: Value, perm: readonly number[]): Value {
  const shape = perm.map((axis) => dim(x, axis));
  return make('Transpose', x.graph, [x], { dtype: x.dtype, shape }, { perm });
}

/** The same elements in another shape. Sizes known only at run time are read from the inputs. */
export function reshape(x: Value, shape: Shape): Value {
  if (shape.length === x.shape.length && shape.every((size, axis) => size === x.shape[axis])) return x;
  return make('Reshape', x.graph, [x, shapeValue(x, shape)], { dtype: x.dtype, shape });
}

/** A reshape's target: 0 copies the input's size at that axis, −1 is inferred. */
function shapeValue(x: Value, shape: Shape): Value {
  const copied = shape.map((size, axis) => (typeof size === 'string' && x.shape[axis] === size ? 0 : size));
  const unknown = copied.filter((size) => typeof size === 'string').length;
  if (unknown <= 1) return x.graph.integers(copied.map((size) => (typeof size === 'string' ? -1 : size)));
  return runtimeShape(x, shape);
}

/** A shape that is computed when the graph runs. */
function runtimeShape(x: Value, shape: Shape): Value {
  const parts = shape.map((size) =>
    typeof size === 'string' ? sizeAtRunTime(x, size) : x.graph.integers([size]),
  );
  return make('Concat', x.graph, parts, { dtype: 'int64', shape: [shape.length] }, { axis: 0 });
}

function sizeAtRunTime(x: Value, symbol: string): Value {
  const { input, axis } = x.graph.sourceOf(symbol);
  return make('Shape', x.graph, [input], { dtype: 'int64', shape: [1] }, { start: axis, end: axis + 1 });
}

/** Rows of `table` [V, …] at `indices`: shape [...indices, …]. */
export function gather(table: Value, indices: Value): Value {
  const shape = [...indices.shape, ...table.shape.slice(1)];
  return make('Gather', table.graph, [table, indices], { dtype: table.dtype, shape }, { axis: 0 });
}

/**
 * Rows of x [N, …] at `rows` [R], each row at most once: shape [R, …]. `inverse` [N] is the
 * inverse, needed by the gradient: the index of row n in `rows`, or R where it has none.
 */
export function selectRows(x: Value, rows: Value, inverse: Value): Value {
  const shape = [...rows.shape, ...x.shape.slice(1)];
  return make('SelectRows', x.graph, [x, rows, inverse], { dtype: x.dtype, shape }, { axis: 0 });
}

/** Along the last axis: out[…, j] = x[…, indices[…, j]]. */
export function gatherElements(x: Value, indices: Value): Value {
  const type = { dtype: x.dtype, shape: indices.shape };
  return make('GatherElements', x.graph, [x, indices], type, { axis: -1 });
}

export function concat(values: readonly Value[], axis: number, size: Dim): Value {
  const [first] = values;
  if (first === undefined) throw new Error('concat of no values.');
  const shape = first.shape.map((known, at) => (at === axis ? size : known));
  return make('Concat', first.graph, values, { dtype: first.dtype, shape }, { axis });
}

/** One-hot rows along a new last axis of `depth`, as float32. */
export function oneHot(indices: Value, depth: Dim): Value {
  const { graph } = indices;
  const count = typeof depth === 'string' ? sizeAtRunTime(indices, depth) : graph.integers([depth]);
  const values = graph.constant('float32', [2], Float32Array.of(0, 1));
  const type: ValueType = { dtype: 'float32', shape: [...indices.shape, depth] };
  return make('OneHot', graph, [indices, count, values], type, { axis: -1 });
}

function shapeOf(x: Value): Value {
  return make('Shape', x.graph, [x], { dtype: 'int64', shape: [x.shape.length] });
}

/** float32 zeros of the shape of a value. */
export function zerosLike(x: Value): Value {
  return make('ConstantOfShape', x.graph, [shapeOf(x)], { dtype: 'float32', shape: x.shape });
}

/** x repeated along its axes of size 1 to the shape of another value. */
export function expandLike(x: Value, like: Value): Value {
  return make('Expand', x.graph, [x, shapeOf(like)], { dtype: x.dtype, shape: like.shape });
}

/** `base` with updates written (or added) at base[…, indices[…, j]] along an axis. */
export function scatterElements(
  base: Value,
  indices: Value,
  updates: Value,
  axis: number,
  adding = false,
): Value {
  const attributes = adding ? { axis, reduction: 'add' } : { axis };
  return make(
    'ScatterElements',
    base.graph,
    [base, indices, updates],
    { dtype: base.dtype, shape: base.shape },
    attributes,
  );
}

export interface GemmOptions {
  transA?: boolean;
  transB?: boolean;
  /** Added to the product: [M, N], [N] or [1, N]. */
  c?: Value;
}

/** op(a)·op(b) + c of matrices; op transposes where `transA`, `transB` say so. */
export function gemm(a: Value, b: Value, options: GemmOptions = {}): Value {
  const { transA = false, transB = false, c } = options;
  const shape = [dim(a, transA ? 1 : 0), dim(b, transB ? 0 : 1)];
  const inputs = c === undefined ? [a, b] : [a, b, c];
  const attributes = { transA: transA ? 1 : 0, transB: transB ? 1 : 0 };
  return make('Gemm', a.graph, inputs, { dtype: a.dtype, shape }, attributes);
}

export interface BatchedOptions {
  transA?: boolean;
  transB?: boolean;
  alpha?: number;
}

/** alpha·op(a)·op(b) over the last two axes of each, the others broadcast. */
export function matMul(a: Value, b: Value, options: BatchedOptions = {}): Value {
  const { transA = false, transB = false, alpha = 1 } = options;
  const batch = broadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
  const shape = [...batch, dim(a, transA ? -1 : -2), dim(b, transB ? -2 : -1)];
  const attributes = { transA: transA ? 1 : 0, transB: transB ? 1 : 0, alpha };
  return make('FusedMatMul', a.graph, [a, b], { dtype: a.dtype, shape }, attributes);
}

/** RMSNorm over the last axis, and its inverse deviation r = 1/√(mean(x²) + ε), [..., 1]. */
export function rmsNorm(x: Value, scale: Value, epsilon: number): { normed: Value; inverse: Value } {
  const types: ValueType[] = [
    { dtype: x.dtype, shape: x.shape },
    { dtype: 'float32', shape: [...x.shape.slice(0, -1), 1] },
  ];
  const attributes = { axis: -1, epsilon, stash_type: 1 };
  const [normed, inverse] = x.graph.node('SimplifiedLayerNormalization', [x, scale], attributes, types);
  if (normed === undefined || inverse === undefined) throw new Error('RMSNorm has two outputs.');
  return { normed, inverse };
}

/** Rotates the pairs (i, i + hd/2) of each head of x [B, T, H·hd] by its position's angles. */
export function rotary(x: Value, positions: Value, cos: Value, sin: Value): Value {
  return make('RotaryEmbedding', x.graph, [x, positions, cos, sin], { dtype: x.dtype, shape: x.shape });
}

/** SiLU, x·σ(x). */
export function silu(x: Value): Value {
  return make('QuickGelu', x.graph, [x], { dtype: x.dtype, shape: x.shape }, { alpha: 1 });
}

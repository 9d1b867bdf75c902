/**
 * The rules of differentiation, one per operator. The table is total: an operator without an
 * entry does not compile.
 *
 * Notation in the formulas: y is the operator's output, dy its cotangent (the gradient of
 * the objective with respect to y), a and b its inputs, ∘ the elementwise product.
 */
import type { Node, OpKind, Shape, Value } from './graph.ts';
import * as op from './operators.ts';

/** Adds one contribution to an input's cotangent; the sum so far is `undefined` at first. */
type Contribution = (sum: Value | undefined) => Value;

interface RuleInput {
  node: Node;
  /** The node's input at an index that must be there. */
  input(index: number): Value;
  /** Its first output. */
  y: Value;
  /** The cotangent of its first output. */
  dy: Value;
  /** The cotangent of any value, where one is known already. */
  cotangentOf(value: Value): Value | undefined;
  /** The nodes of the forward pass that read a value. */
  consumersOf(value: Value): readonly Node[];
}

/** One contribution per input, as functions: those of inputs without a gradient are not built. */
export type Rule = (rule: RuleInput) => readonly (Contribution | null)[];

/** For operators that have no gradient, or that only backward passes and decoders use. */
export const NOT_DIFFERENTIABLE = 'not differentiable';

const plain =
  (contribution: () => Value): Contribution =>
  (sum) =>
    sum === undefined ? contribution() : op.add(sum, contribution());

/** Sums a cotangent over the axes along which its input was broadcast. */
function unbroadcast(dy: Value, shape: Shape): Value {
  const extra = dy.shape.length - shape.length;
  const axes = dy.shape.flatMap((size, axis) => {
    const repeated = axis < extra || (shape[axis - extra] === 1 && size !== 1);
    return repeated ? [axis] : [];
  });
  return axes.length === 0 ? dy : op.reshape(op.reduceSum(dy, axes), shape);
}

/** A rule for an elementwise operator of two inputs, from the formulas of its two cotangents. */
const elementwise =
  (da: (r: RuleInput, a: Value, b: Value) => Value, db: (r: RuleInput, a: Value, b: Value) => Value): Rule =>
  (r) => {
    const [a, b] = [r.input(0), r.input(1)];
    return [plain(() => unbroadcast(da(r, a, b), a.shape)), plain(() => unbroadcast(db(r, a, b), b.shape))];
  };

/** A rule for an elementwise operator of one input. */
const elementwiseUnary =
  (dx: (r: RuleInput, x: Value) => Value): Rule =>
  (r) => [plain(() => dx(r, r.input(0)))];

/** dy where a ≤ b, else 0. */
const whereLessOrEqual = (a: Value, b: Value, dy: Value): Value =>
  op.where(op.lessOrEqual(a, b), dy, dy.graph.scalar(0));

/** dy where a > b, else 0. */
const whereGreater = (a: Value, b: Value, dy: Value): Value =>
  op.where(op.lessOrEqual(a, b), dy.graph.scalar(0), dy);

function rmsNormRule({ node, input, dy }: RuleInput): (Contribution | null)[] {
  const [x, scale, inverse] = [input(0), input(1), node.outputs[1]];
  if (inverse === undefined) throw new Error('RMSNorm was built without its inverse deviation.');
  const width = op.size(x, -1);
  const dyX = op.mul(dy, x);
  const column = op.reshape(scale, [width, 1]);
  // With r = (mean(x²) + ε)^−½ and y = x∘r∘w: dr/dx = −r³x / D, so
  // dx = (dy∘w)∘r − x∘(r³/D)·Σ_D(dy∘w∘x)
  const dx = (): Value => {
    const projected = op.gemm(dyX, column);
    const cubed = op.mul(op.mul(inverse, inverse), op.mul(inverse, 1 / width));
    return op.sub(op.mul(op.mul(dy, scale), inverse), op.mul(x, op.mul(projected, cubed)));
  };
  // dw = Σ_N dy∘x∘r
  const dScale = (): Value => op.reshape(op.gemm(dyX, inverse, { transA: true }), scale.shape);
  return [plain(dx), plain(dScale)];
}

function softmaxRule(r: RuleInput): (Contribution | null)[] {
  const { y, dy } = r;
  // dx = y∘(dy − Σ_j y_j dy_j), the sum along each row
  const sum = attentionRowSum(r) ?? op.reduceSum(op.mul(y, dy), [-1]);
  return [plain(() => op.mul(y, op.sub(dy, sum)))];
}

/**
 * Where the softmax P [.., T, S] is only used to weight values, Oᵀ = Vᵀ·Pᵀ, the row sums of P∘dP
 * are those of O∘dO (FlashAttention, arXiv 2205.14135, appendix B.4): a T×hd sum, not T×S.
 */
function attentionRowSum({ y, cotangentOf, consumersOf }: RuleInput): Value | undefined {
  const [reader, ...others] = consumersOf(y);
  if (reader?.op !== 'FusedMatMul' || others.length > 0) return undefined;
  const { transA, transB, alpha } = reader.attributes;
  const [output] = reader.outputs;
  const dOutput = output && cotangentOf(output);
  const weighs = reader.inputs[1] === y && transA === 0 && transB === 1 && alpha === 1;
  if (!output || !dOutput || !weighs || output.shape.length !== y.shape.length) return undefined;
  const sums = op.reduceSum(op.mul(output, dOutput), [-2]);
  return op.reshape(sums, [...y.shape.slice(0, -1), 1]);
}

function fusedMatMulRule({ node, input, dy }: RuleInput): (Contribution | null)[] {
  const [a, b] = [input(0), input(1)];
  const alpha = Number(node.attributes.alpha);
  const transA = node.attributes.transA === 1;
  const transB = node.attributes.transB === 1;
  // y = α·op(a)·op(b): d op(a) = α·dy·op(b)ᵀ and d op(b) = α·op(a)ᵀ·dy, transposed back where op transposes
  const da = transA
    ? () => op.matMul(b, dy, { transA: transB, transB: true, alpha })
    : () => op.matMul(dy, b, { transB: !transB, alpha });
  const db = transB
    ? () => op.matMul(dy, a, { transA: true, transB: transA, alpha })
    : () => op.matMul(a, dy, { transA: !transA, alpha });
  return [plain(() => unbroadcast(da(), a.shape)), plain(() => unbroadcast(db(), b.shape))];
}

function gemmRule({ node, input, dy }: RuleInput): (Contribution | null)[] {
  const [a, b, c] = [input(0), input(1), node.inputs[2]];
  const transA = node.attributes.transA === 1;
  const transB = node.attributes.transB === 1;
  // The same formulas as FusedMatMul; the sum so far is the product's own addend.
  const da: Contribution = (sum) =>
    transA
      ? op.gemm(b, dy, { transA: transB, transB: true, c: sum })
      : op.gemm(dy, b, { transB: !transB, c: sum });
  const db: Contribution = (sum) =>
    transB
      ? op.gemm(dy, a, { transA: true, transB: transA, c: sum })
      : op.gemm(a, dy, { transA: !transA, c: sum });
  // dc = dy, summed where c was broadcast
  return c ? [da, db, plain(() => unbroadcast(dy, c.shape))] : [da, db];
}

/** Up to this many rows a one-hot product is the faster way to add up a table's gradient. */
const ONE_HOT_ROWS = 4096;

function gatherRule({ input, dy }: RuleInput): (Contribution | null)[] {
  const [table, indices] = [input(0), input(1)];
  const [rows, width] = [op.dim(table, 0), op.dim(table, 1)];
  const flat = op.reshape(dy, ['rows gathered', width]);
  const at = op.reshape(indices, ['rows gathered']);
  // d table = one-hot(indices)ᵀ·dy
  if (typeof rows === 'string' || rows <= ONE_HOT_ROWS) {
    return [(sum) => op.gemm(op.oneHot(at, rows), flat, { transA: true, c: sum }), null];
  }
  // The same sum, each row added at its index in the order of the indices (one thread: the order is fixed).
  const columns = op.expandLike(op.reshape(at, ['rows gathered', 1]), flat);
  return [(sum) => op.scatterElements(sum ?? op.zerosLike(table), columns, flat, 0, true), null];
}

function selectRowsRule({ input, dy }: RuleInput): (Contribution | null)[] {
  const [x, , inverse] = [input(0), input(1), input(2)];
  const width = op.size(x, 1);
  const zero = x.graph.constant('float32', [1, width], new Float32Array(width));
  // dx[n] = dy[inverse[n]], where row R, one past the last, is zero
  const dx = () => op.gather(op.concat([dy, zero], 0, 'rows selected, and a zero row'), inverse);
  return [plain(dx), null, null];
}

export const RULES: Record<OpKind, Rule | typeof NOT_DIFFERENTIABLE> = {
  // y = a + b: da = dy, db = dy
  Add: elementwise(
    ({ dy }) => dy,
    ({ dy }) => dy,
  ),
  // y = a − b: da = dy, db = −dy
  Sub: elementwise(
    ({ dy }) => dy,
    ({ dy }) => op.neg(dy),
  ),
  // y = a∘b: da = dy∘b, db = dy∘a
  Mul: elementwise(
    ({ dy }, _, b) => op.mul(dy, b),
    ({ dy }, a) => op.mul(dy, a),
  ),
  // y = a/b: da = dy/b, db = −dy∘y/b
  Div: elementwise(
    ({ dy }, _, b) => op.div(dy, b),
    ({ dy, y }, _, b) => op.neg(op.div(op.mul(dy, y), b)),
  ),
  // y = min(a, b): dy goes to the smaller; to a where they are equal
  Min: elementwise(
    ({ dy }, a, b) => whereLessOrEqual(a, b, dy),
    ({ dy }, a, b) => whereGreater(a, b, dy),
  ),
  // y = max(a, b): dy goes to the larger; to a where they are equal
  Max: elementwise(
    ({ dy }, a, b) => whereLessOrEqual(b, a, dy),
    ({ dy }, a, b) => whereGreater(b, a, dy),
  ),
  // y = a where c, else b
  Where: ({ input, dy }) => {
    const [condition, a, b] = [input(0), input(1), input(2)];
    const zero = dy.graph.scalar(0);
    const da = () => unbroadcast(op.where(condition, dy, zero), a.shape);
    const db = () => unbroadcast(op.where(condition, zero, dy), b.shape);
    return [null, plain(da), plain(db)];
  },
  // y = −x
  Neg: elementwiseUnary(({ dy }) => op.neg(dy)),
  // y = e^x: dx = dy∘y
  Exp: elementwiseUnary(({ dy, y }) => op.mul(dy, y)),
  // y = σ(x): dx = dy∘y∘(1 − y)
  Sigmoid: elementwiseUnary(({ dy, y }) => op.mul(dy, op.mul(y, op.sub(1, y)))),
  // y = x·σ(x): dy/dx = σ + x·σ(1 − σ) = y + σ(1 − y)
  QuickGelu: elementwiseUnary(({ dy, y }, x) => op.mul(dy, op.add(y, op.mul(op.sigmoid(x), op.sub(1, y))))),
  Softmax: softmaxRule,
  // y = x − ln Σ e^x: dx = dy − e^y·Σ dy
  LogSoftmax: elementwiseUnary(({ dy, y }) => op.sub(dy, op.mul(op.exp(y), op.reduceSum(dy, [-1])))),
  // y = Σ x over axes: every summand gets dy
  ReduceSum: ({ input, dy }) => [plain(() => op.expandLike(dy, input(0))), null],
  // A rearrangement's gradient is rearranged back.
  Reshape: ({ input, dy }) => [plain(() => op.reshape(dy, input(0).shape)), null],
  Transpose: ({ node, dy }) => {
    const perm = node.attributes.perm as readonly number[];
    return [
      plain(() =>
        op.transpose(
          dy,
          perm.map((_, axis) => perm.indexOf(axis)),
        ),
      ),
    ];
  },
  StopGradient: () => [null],
  FusedMatMul: fusedMatMulRule,
  Gemm: gemmRule,
  Gather: gatherRule,
  SelectRows: selectRowsRule,
  // y = x[…, i]: dx is zero but for dx[…, i] = dy
  GatherElements: ({ input, dy }) => {
    const x = input(0);
    return [plain(() => op.scatterElements(op.zerosLike(x), input(1), dy, -1)), null];
  },
  SimplifiedLayerNormalization: rmsNormRule,
  // y = R(θ)·x, a rotation: dx = R(−θ)·dy, and R(−θ) has the same cosine and the opposite sine
  RotaryEmbedding: ({ input, dy }) => {
    const [positions, cos, sin] = [input(1), input(2), input(3)];
    return [plain(() => op.rotary(dy, positions, cos, op.neg(sin))), null, null, null];
  },
  Cast: NOT_DIFFERENTIABLE,
  Concat: NOT_DIFFERENTIABLE,
  ConstantOfShape: NOT_DIFFERENTIABLE,
  Expand: NOT_DIFFERENTIABLE,
  GroupQueryAttention: NOT_DIFFERENTIABLE,
  LessOrEqual: NOT_DIFFERENTIABLE,
  OneHot: NOT_DIFFERENTIABLE,
  ScatterElements: NOT_DIFFERENTIABLE,
  Shape: NOT_DIFFERENTIABLE,
};

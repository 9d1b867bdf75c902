/**
 * A computation graph: values, and the operators that make them. The operators are ONNX's,
 * so that a graph is written out as it is (onnx.ts); operators.ts has the functions that build it, and
 * gradients.ts adds a backward pass.
 */
import { type DType, elementCount, type TypedArrays } from './tensor.ts';

/** A size: a number, or the name of one that is known only when the graph runs. */
export type Dim = number | string;
export type Shape = readonly Dim[];

/** Numbers are integers unless FLOAT_ATTRIBUTES (onnx.ts) names the attribute. */
export type Attributes = Readonly<Record<string, number | string | readonly number[]>>;

/** An operator that ONNX does not have; written out as the ONNX operator `as` over its first `arity` inputs. */
export interface Alias {
  as: string;
  arity: number;
}

/** Every operator that a graph may contain, and the ONNX domain that defines it ('' is the default domain). */
export const OPERATORS = {
  Add: '',
  Cast: '',
  Concat: '',
  ConstantOfShape: '',
  Div: '',
  Exp: '',
  Expand: '',
  FusedMatMul: 'com.microsoft',
  Gather: '',
  GatherElements: '',
  Gemm: '',
  GroupQueryAttention: 'com.microsoft',
  LessOrEqual: '',
  LogSoftmax: '',
  Max: '',
  Min: '',
  Mul: '',
  Neg: '',
  OneHot: '',
  QuickGelu: 'com.microsoft',
  ReduceSum: '',
  Reshape: '',
  RotaryEmbedding: 'com.microsoft',
  ScatterElements: '',
  SelectRows: { as: 'Gather', arity: 2 },
  Shape: '',
  Sigmoid: '',
  SimplifiedLayerNormalization: '',
  Softmax: '',
  StopGradient: { as: 'Identity', arity: 1 },
  Sub: '',
  Transpose: '',
  Where: '',
} as const satisfies Record<string, '' | 'com.microsoft' | Alias>;

export type OpKind = keyof typeof OPERATORS;

/** One tensor of a graph. */
export interface Value {
  readonly graph: Graph;
  readonly name: string;
  readonly dtype: DType;
  readonly shape: Shape;
}

export interface Node {
  readonly op: OpKind;
  /** `null`: an optional input left out. */
  readonly inputs: readonly (Value | null)[];
  readonly outputs: readonly Value[];
  readonly attributes: Attributes;
}

export interface ValueType {
  dtype: DType;
  shape: Shape;
}

export interface Constant {
  value: Value;
  data: TypedArrays[DType];
}

export class Graph {
  readonly inputs = new Map<string, Value>();
  /** In topological order: each node comes after those whose outputs it reads. */
  readonly nodes: Node[] = [];
  readonly outputs = new Map<string, Value>();
  readonly constants = new Map<string, Constant>();
  private serial = 0;

  /** Declares an input. Names are those that a session's caller uses. */
  input(name: string, dtype: DType, shape: Shape): Value {
    if (this.inputs.has(name)) throw new Error(`The graph has an input "${name}" already.`);
    const value = { graph: this, name, dtype, shape };
    this.inputs.set(name, value);
    return value;
  }

  /** Declares an output under a new name. */
  output(name: string, value: Value): void {
    if (this.outputs.has(name) || this.inputs.has(name)) {
      throw new Error(`The graph has an input or output "${name}" already; an output needs a new name.`);
    }
    this.outputs.set(name, value);
  }

  /** A tensor known when the graph is built; equal ones are stored once. */
  constant<D extends DType>(dtype: D, shape: readonly number[], data: TypedArrays[D]): Value {
    if (data.length !== elementCount(shape)) {
      throw new Error(`A constant of shape [${shape}] was given ${data.length} elements.`);
    }
    const key = `${dtype}[${shape}]${data.join()}`;
    const known = this.constants.get(key);
    if (known !== undefined) return known.value;
    const value = this.fresh({ dtype, shape });
    this.constants.set(key, { value, data });
    return value;
  }

  scalar(value: number): Value {
    return this.constant('float32', [], Float32Array.of(value));
  }

  integers(values: readonly number[]): Value {
    return this.constant('int64', [values.length], BigInt64Array.from(values, BigInt));
  }

  /** Adds an operator; the caller gives the types of its outputs. */
  node(
    op: OpKind,
    inputs: readonly (Value | null)[],
    attributes: Attributes,
    types: readonly ValueType[],
  ): readonly Value[] {
    const outputs = types.map((type) => this.fresh(type));
    this.nodes.push({ op, inputs, outputs, attributes });
    return outputs;
  }

  private fresh(type: ValueType): Value {
    this.serial += 1;
    return { graph: this, name: `v${this.serial}`, dtype: type.dtype, shape: type.shape };
  }

  /** An input with an axis of this symbolic size, from which the size is read when the graph runs. */
  sourceOf(symbol: string): { input: Value; axis: number } {
    for (const input of this.inputs.values()) {
      const axis = input.shape.indexOf(symbol);
      if (axis >= 0) return { input, axis };
    }
    throw new Error(`No input of the graph has an axis "${symbol}", so its size cannot be known.`);
  }
}

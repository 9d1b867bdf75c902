/** Writes a graph as an ONNX model. */
import { readFileSync } from 'node:fs';
import protobuf from 'protobufjs';
import {
  type Attributes,
  type Dim,
  type Graph,
  type Node,
  OPERATORS,
  type OpKind,
  type Value,
} from './graph.ts';
import type { DType } from './tensor.ts';

/** ONNX's number of each element type, TensorProto.DataType. */
const ONNX_DTYPES: Record<DType, number> = { float32: 1, int32: 6, int64: 7, bool: 9 };

const OPSET = 24;
const IR_VERSION = 11;

/** Attributes whose numbers are floats; all others are integers. */
const FLOAT_ATTRIBUTES = new Set(['alpha', 'epsilon']);

const ATTRIBUTE_TYPE = { float: 1, int: 2, string: 3, ints: 7 };

const ModelProto = protobuf
  .parse(readFileSync(new URL('./onnx.proto', import.meta.url), 'utf8'), { keepCase: true })
  .root.lookupType('onnx.ModelProto');

/** The bytes that `Runtime.createSession` takes. */
export function serialize(graph: Graph): Uint8Array {
  const names = finalNames(graph);
  const nameOf = (value: Value | null) => (value === null ? '' : (names.get(value) ?? value.name));
  const nodes = graph.nodes.map((node) => nodeProto(node, nameOf));
  for (const [name, value] of graph.outputs) {
    if (nameOf(value) !== name) nodes.push({ op_type: 'Identity', input: [nameOf(value)], output: [name] });
  }
  const model = {
    ir_version: IR_VERSION,
    producer_name: 'durable-r1',
    opset_import: [
      { domain: '', version: OPSET },
      { domain: 'com.microsoft', version: 1 },
    ],
    graph: {
      name: 'graph',
      node: nodes,
      initializer: [...graph.constants.values()].map(({ value, data }) => ({
        name: value.name,
        dims: value.shape,
        data_type: ONNX_DTYPES[value.dtype],
        raw_data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
      })),
      input: [...graph.inputs.values()].map((value) => valueInfo(value.name, value)),
      output: [...graph.outputs].map(([name, value]) => valueInfo(name, value)),
    },
  };
  return ModelProto.encode(ModelProto.fromObject(model)).finish();
}

/** A value that a node computes takes its output's name; a second output of the same value becomes a copy. */
function finalNames(graph: Graph): Map<Value, string> {
  const made = new Set(graph.nodes.flatMap((node) => node.outputs));
  const names = new Map<Value, string>();
  for (const [name, value] of graph.outputs) {
    if (made.has(value) && !names.has(value)) names.set(value, name);
  }
  return names;
}

function nodeProto(node: Node, nameOf: (value: Value | null) => string): Record<string, unknown> {
  const definition: (typeof OPERATORS)[OpKind] = OPERATORS[node.op];
  const alias = typeof definition === 'string' ? undefined : definition;
  return {
    op_type: alias?.as ?? node.op,
    domain: typeof definition === 'string' ? definition : '',
    input: node.inputs.slice(0, alias?.arity).map(nameOf),
    output: node.outputs.map(nameOf),
    attribute: attributeProtos(node.attributes),
  };
}

function attributeProtos(attributes: Attributes): Record<string, unknown>[] {
  return Object.entries(attributes).map(([name, value]) => {
    if (typeof value === 'string') return { name, type: ATTRIBUTE_TYPE.string, s: Buffer.from(value) };
    if (typeof value !== 'number') return { name, type: ATTRIBUTE_TYPE.ints, ints: value };
    if (FLOAT_ATTRIBUTES.has(name)) return { name, type: ATTRIBUTE_TYPE.float, f: value };
    return { name, type: ATTRIBUTE_TYPE.int, i: value };
  });
}

function valueInfo(name: string, value: Value): Record<string, unknown> {
  const dim = value.shape.map(dimension);
  return { name, type: { tensor_type: { elem_type: ONNX_DTYPES[value.dtype], shape: { dim } } } };
}

function dimension(dim: Dim): Record<string, unknown> {
  return typeof dim === 'number' ? { dim_value: dim } : { dim_param: dim };
}

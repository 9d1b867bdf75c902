/**
 * Reverse-mode differentiation: goes through a graph in reverse order and adds the nodes that compute
 * gradients, by each operator's rule.
 */
import { NOT_DIFFERENTIABLE, RULES } from './gradient-rules.ts';
import type { Node, Value } from './graph.ts';

export interface BackwardOptions {
  /** Where the backward pass begins: a value and the gradient of the objective with respect to it. */
  from: { value: Value; cotangent: Value };
  /** The values whose gradients are wanted, and what each gradient is added to, if anything. */
  to: ReadonlyMap<Value, Value | undefined>;
}

/**
 * Adds the backward pass to the graph and returns the gradient of each wanted value.
 * Throws where a gradient would flow through an operator that is not differentiable.
 */
export function backward({ from, to }: BackwardOptions): Map<Value, Value> {
  const forward = [...from.value.graph.nodes];
  const wanted = dependents(forward, to.keys());
  const cotangents = new Map<Value, Value>();
  for (const [value, accumulator] of to) if (accumulator) cotangents.set(value, accumulator);
  cotangents.set(from.value, from.cotangent);
  for (const node of forward.reverse()) propagate(node, forward, cotangents, wanted);
  return new Map([...to.keys()].map((value) => [value, reached(value, cotangents)]));
}

function reached(value: Value, cotangents: ReadonlyMap<Value, Value>): Value {
  const cotangent = cotangents.get(value);
  if (cotangent === undefined) throw new Error(`No gradient reaches "${value.name}".`);
  return cotangent;
}

/** The values and all that is computed from them, up to where gradients are stopped. */
function dependents(nodes: readonly Node[], values: Iterable<Value>): Set<Value> {
  const found = new Set(values);
  for (const { op: kind, inputs, outputs } of nodes) {
    const depends = inputs.some((input) => input !== null && found.has(input));
    if (depends && kind !== 'StopGradient') for (const output of outputs) found.add(output);
  }
  return found;
}

function propagate(
  node: Node,
  forward: readonly Node[],
  cotangents: Map<Value, Value>,
  wanted: ReadonlySet<Value>,
): void {
  const [y] = node.outputs;
  const dy = y && cotangents.get(y);
  if (!y || !dy || !node.inputs.some((input) => input !== null && wanted.has(input))) return;
  const rule = RULES[node.op];
  if (rule === NOT_DIFFERENTIABLE)
    throw new Error(`A gradient would flow through ${node.op}, which has no rule.`);
  const contributions = rule({
    node,
    y,
    dy,
    input: (index) => inputAt(node, index),
    cotangentOf: (value) => cotangents.get(value),
    consumersOf: (value) => forward.filter((reader) => reader.inputs.includes(value)),
  });
  node.inputs.forEach((input, index) => {
    const contribute = contributions[index];
    if (input === null || !wanted.has(input) || !contribute) return;
    cotangents.set(input, contribute(cotangents.get(input)));
  });
}

function inputAt(node: Node, index: number): Value {
  const input = node.inputs[index];
  if (!input) throw new Error(`${node.op} lacks its input ${index}.`);
  return input;
}

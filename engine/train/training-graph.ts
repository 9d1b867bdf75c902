/**
 * The graphs of a policy: one scores tokens; one for each objective also adds the gradient of
 * every weight to accumulators.
 */
import { backward } from '../graph/gradients.ts';
import type { Graph, Value } from '../graph/graph.ts';
import * as op from '../graph/operators.ts';
import type { ModelConfig } from '../model/architecture.ts';
import { buildSequenceGraph, type RowLayout } from '../model/full-attention.ts';
import { buildObjective, buildScores, type Objective } from './losses.ts';

/** The accumulator of a weight's gradient, as an input and as the output that replaces it. */
export const gradientInput = (weight: string): string => `gradient ${weight}`;
export const gradientOutput = (weight: string): string => `gradient' ${weight}`;

/** Log-probabilities and entropies of tokens: outputs `logprobs` and `entropies`, [R]. */
export function scoringGraph(config: ModelConfig): Graph {
  const sequences = buildSequenceGraph(config);
  const { logprobs, entropies } = buildScores(sequences);
  sequences.graph.output('logprobs', logprobs);
  sequences.graph.output('entropies', entropies);
  return sequences.graph;
}

/**
 * One micro-batch's forward and backward pass. Besides the scores, outputs `objective`, `ratios`
 * and `kls` [R] where the objective has them, and each weight's gradient of the loss
 * −Σ w·l added to its accumulator. The weights w are the input `tokenWeights` [R].
 */
export function trainingGraph(config: ModelConfig, objective: Objective, rows: RowLayout): Graph {
  const sequences = buildSequenceGraph(config, rows);
  const { graph, model } = sequences;
  const { logprobs, entropies } = buildScores(sequences);
  const made = buildObjective(graph, objective, logprobs);
  // L = −Σ_r w_r·l_r, so dL/dl = −w
  const cotangent = op.neg(graph.input('tokenWeights', 'float32', ['R']));
  addGradients(graph, model.weights, { value: made.objective, cotangent });
  const outputs = { logprobs, entropies, ...made };
  for (const [name, value] of Object.entries(outputs)) graph.output(name, value);
  return graph;
}

/** Adds the backward pass from a value and its cotangent: each weight's gradient added to its accumulator. */
export function addGradients(
  graph: Graph,
  weights: ReadonlyMap<string, Value>,
  from: { value: Value; cotangent: Value },
): void {
  const accumulators = new Map(
    [...weights].map(([name, weight]) => [weight, graph.input(gradientInput(name), 'float32', weight.shape)]),
  );
  const gradients = backward({ from, to: accumulators });
  for (const [name, weight] of weights) {
    const gradient = gradients.get(weight);
    if (gradient !== undefined) graph.output(gradientOutput(name), gradient);
  }
}

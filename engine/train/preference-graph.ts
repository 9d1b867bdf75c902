/**
 * The graphs of a model with a scalar head: one that scores sequences, and one an objective that also adds
 * the gradients of every weight to accumulators.
 *
 * Axes: R scored sequences, one row each, M items that the loss is a sum over (pairs, or labelled sequences).
 */
import type { Graph, Value } from '../graph/graph.ts';
import * as op from '../graph/operators.ts';
import type { ModelConfig } from '../model/architecture.ts';
import { buildSequenceGraph, type SequenceGraph } from '../model/full-attention.ts';
import type { PreferenceObjective } from './preference-batch.ts';
import { addGradients } from './training-graph.ts';

/** Scores of the rows that `rows` [R] int64 selects of the hidden states: output `scores` [R]. */
export function sequenceScoresGraph(config: ModelConfig): Graph {
  const sequences = buildSequenceGraph(config);
  sequences.graph.output('scores', op.reshape(buildSequenceScores(sequences), ['R']));
  return sequences.graph;
}

/**
 * One micro-batch's forward and backward pass: output `scores` [R], and each weight's gradient of the loss
 * −Σ w·l added to its accumulator. Inputs: `itemWeights` [M] and `classes` [M] int64.
 */
export function preferenceGraph(config: ModelConfig, objective: PreferenceObjective): Graph {
  const sequences = buildSequenceGraph(config);
  const { graph, model } = sequences;
  const scores = buildSequenceScores(sequences);
  // −log σ(r_chosen − r_rejected) and the binary cross-entropy are both the cross-entropy of two logits:
  // log σ(a − b) = log softmax([a, b])₀, stable for any difference.
  const logprobsM2 = op.logSoftmax(LOGITS[objective](scores));
  const classes = op.reshape(graph.input('classes', 'int64', ['M']), ['M', 1]);
  const value = op.gatherElements(logprobsM2, classes);
  // L = −Σ_m w_m·l_m, so dL/dl = −w
  const cotangent = op.neg(op.reshape(graph.input('itemWeights', 'float32', ['M']), ['M', 1]));
  addGradients(graph, model.weights, { value, cotangent });
  graph.output('scores', op.reshape(scores, ['R']));
  return graph;
}

/** r = w·h, [R, 1] */
function buildSequenceScores({ graph, model, hidden }: SequenceGraph): Value {
  const rows = graph.input('rows', 'int64', ['R']);
  const inverse = graph.input('rowsInverse', 'int64', ['N']);
  return model.head(op.selectRows(hidden, rows, inverse));
}

/** The two logits of each item, [M, 2]: class 0 is what the objective makes likely of a good answer. */
const LOGITS: Record<PreferenceObjective, (scoresR1: Value) => Value> = {
  // Bradley–Terry: P(chosen over rejected) = σ(r_chosen − r_rejected) (InstructGPT, arXiv 2203.02155, eq. 1);
  // rows 2i and 2i + 1 are pair i.
  pairwise: (scores) => op.reshape(scores, ['M', 2]),
  // P(good) = σ(r) = softmax([r, 0])₀
  pointwise: (scores) => op.mul(scores, scores.graph.constant('float32', [1, 2], Float32Array.of(1, 0))),
};

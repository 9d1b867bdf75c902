/**
 * What a reward model learns from: batches of preferences, the graphs of a model with a scalar head, and the metrics of
 * a step.
 *
 * Axes: N sequences of a batch, R scored sequences, one row each, M items of the loss (pairs, or labelled sequences).
 */
import type { Graph, Value } from '../graph/graph.ts';
import * as op from '../graph/operators.ts';
import type { ModelConfig } from '../model/architecture.ts';
import { buildSequenceGraph, type SequenceGraph } from '../model/full-attention.ts';
import type { UpdateOptions } from './train-batch.ts';
import { addGradients } from './training-graph.ts';

/** `pairwise`: of two sequences the first is the better one. `pointwise`: a sequence is good, or it is not. */
export type PreferenceObjective = 'pairwise' | 'pointwise';

/** What one optimizer step of a reward model trains on. N = sequences. */
export interface PreferenceBatch {
  /** `pairwise`: sequences 2i and 2i + 1 are the chosen and the rejected one of pair i. */
  objective: PreferenceObjective;
  sequencesN: readonly Int32Array[];
  /** `pointwise`: 1 good, 0 not; null for `pairwise`. */
  labelsN: ArrayLike<number> | null;
  /** Weight in the loss −Σ w·l of each sequence, or pair (that of its first sequence). */
  lossWeightsN: ArrayLike<number>;
  options: UpdateOptions;
}

/** The graph that scores sequences: output `scores` [R], of the hidden states' rows `rows` [R] int64. */
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

/** The two logits of each item, [M, 2]: class 0 becomes more likely for good answers. */
const LOGITS: Record<PreferenceObjective, (scoresR1: Value) => Value> = {
  // Bradley–Terry: P(chosen over rejected) = σ(r_chosen − r_rejected) (InstructGPT, arXiv 2203.02155, eq. 1);
  // rows 2i and 2i + 1 are pair i.
  pairwise: (scores) => op.reshape(scores, ['M', 2]),
  // P(good) = σ(r) = softmax([r, 0])₀
  pointwise: (scores) => op.mul(scores, scores.graph.constant('float32', [1, 2], Float32Array.of(1, 0))),
};

interface Item {
  /** positive where the model is correct */
  margin: number;
  weight: number;
}

/** L = −Σ w·log σ(margin), and the share of items with a positive margin. */
export function preferenceMetrics(
  batch: Pick<PreferenceBatch, 'objective' | 'labelsN' | 'lossWeightsN'>,
  scoresN: ArrayLike<number>,
): { loss: number; accuracy: number } {
  const items = ITEMS[batch.objective](batch, scoresN);
  return {
    loss: items.reduce((sum, { margin, weight }) => sum + weight * softplus(-margin), 0),
    accuracy: items.filter(({ margin }) => margin > 0).length / items.length,
  };
}

type ItemsOf = (
  batch: Pick<PreferenceBatch, 'labelsN' | 'lossWeightsN'>,
  scoresN: ArrayLike<number>,
) => Item[];

const ITEMS: Record<PreferenceBatch['objective'], ItemsOf> = {
  // r_chosen − r_rejected
  pairwise: ({ lossWeightsN }, scoresN) =>
    Array.from({ length: scoresN.length / 2 }, (_, pair) => ({
      margin: (scoresN[2 * pair] ?? 0) - (scoresN[2 * pair + 1] ?? 0),
      weight: lossWeightsN[2 * pair] ?? 0,
    })),
  // BCE(σ(r), y) = −log σ(r) where y = 1, −log σ(−r) where y = 0
  pointwise: ({ labelsN, lossWeightsN }, scoresN) =>
    Array.from(scoresN, (score, n) => ({
      margin: labelsN?.[n] === 1 ? score : -score,
      weight: lossWeightsN[n] ?? 0,
    })),
};

/** log(1 + eˣ) = −log σ(−x), without overflow. */
function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}

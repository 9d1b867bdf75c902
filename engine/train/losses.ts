/**
 * Objectives as graphs. Scored tokens of all sequences are in one axis, [R]. Each has a weight,
 * computed from `loss_type` by algorithm/rl/loss-weights.ts, so that one graph serves all ways of
 * averaging. The loss is −Σ_r w_r·l_r.
 *
 * Log-probabilities are of softmax(logits / temperature), for every policy alike.
 */
import type { Graph, Value } from '../graph/graph.ts';
import * as op from '../graph/operators.ts';
import type { SequenceGraph } from '../model/full-attention.ts';

/** The objective that a graph trains. */
export interface Objective {
  /**
   * `sft`: l = log π(token). `grpo`: clipped policy gradient with a KL penalty.
   * `cispo`: l = stop_gradient(min(ρ, ratio_high))·A·log π (MiniMax-M1, arXiv 2506.13585), same penalty.
   */
  loss: 'sft' | 'grpo' | 'cispo';
  /** The ratio of each token, or of each sequence: exp(mean over its tokens of log ρ) (GSPO, arXiv 2507.18071). */
  level: 'token' | 'sequence';
}

/** The model's outputs for the scored tokens, each [R]. */
export interface Scored {
  logprobs: Value;
  /** −Σ_v p·log p of the distribution each token was drawn from, in nats; no gradient. */
  entropies: Value;
}

/**
 * Scores the tokens `targets` [R] int64, each predicted from the row of the same index in
 * `rows` [R] int64, an index b·T + t into the hidden states. `rowsInverse` [N] is the inverse
 * (operators.ts, selectRows). Divides logits by the scalar input `temperature`.
 */
export function buildScores({ graph, model, hidden }: SequenceGraph): Scored {
  const rows = graph.input('rows', 'int64', ['R']);
  const inverse = graph.input('rowsInverse', 'int64', ['N']);
  const targets = graph.input('targets', 'int64', ['R']);
  const temperature = graph.input('temperature', 'float32', []);
  // W·(x/τ) = (W·x)/τ
  const scaled = op.div(op.selectRows(hidden, rows, inverse), temperature);
  const logprobsRV = op.logSoftmax(model.head(scaled));
  const chosen = op.gatherElements(logprobsRV, op.reshape(targets, ['R', 1]));
  return { logprobs: op.reshape(chosen, ['R']), entropies: entropy(logprobsRV) };
}

/** −Σ_v p·log p */
function entropy(logprobsRV: Value): Value {
  const fixed = op.stopGradient(logprobsRV);
  return op.reshape(op.neg(op.reduceSum(op.mul(op.exp(fixed), fixed), [-1])), ['R']);
}

/** The per-token objective l and its parts, each [R]. */
export interface TokenObjective {
  objective: Value;
  /** ρ, before any clipping; absent for `sft`. */
  ratios?: Value;
  /** k3 without the bias correction; absent for `sft`. */
  kls?: Value;
}

type Builder = (graph: Graph, logprobs: Value, level: Objective['level']) => TokenObjective;

const OBJECTIVES: Record<Objective['loss'], Builder> = {
  sft: (_, logprobs) => ({ objective: logprobs }),
  grpo: (graph, logprobs, level) => policyObjective(graph, logprobs, level, clippedSurrogate),
  cispo: (graph, logprobs, level) => policyObjective(graph, logprobs, level, cispoSurrogate),
};

/** The per-token objective for scored log-probabilities. Declares its inputs. */
export function buildObjective(graph: Graph, { loss, level }: Objective, logprobs: Value): TokenObjective {
  return OBJECTIVES[loss](graph, logprobs, level);
}

interface SurrogateInput {
  graph: Graph;
  logprobs: Value;
  ratios: Value;
  advantages: Value;
  ratioHigh: Value;
}

/**
 * l = surrogate − β·k3. Inputs, [R] float32: `advantages`, `oldLogprobs`, `refLogprobs`;
 * scalars: `ownOld` and `ownRef` bool (the log-probabilities of this forward pass are used as the
 * old policy's, the reference's), `ratioHigh` (1 + ε_high), `beta`, `correctKl` bool.
 */
function policyObjective(
  graph: Graph,
  logprobs: Value,
  level: Objective['level'],
  surrogate: (input: SurrogateInput) => Value,
): TokenObjective {
  const advantages = graph.input('advantages', 'float32', ['R']);
  const ratioHigh = graph.input('ratioHigh', 'float32', []);
  const own = op.stopGradient(logprobs);
  const old = op.where(graph.input('ownOld', 'bool', []), own, graph.input('oldLogprobs', 'float32', ['R']));
  const ref = op.where(graph.input('ownRef', 'bool', []), own, graph.input('refLogprobs', 'float32', ['R']));
  // log ρ = log π_θ − log π_old
  const logRatios = op.sub(logprobs, old);
  const ratios = op.exp(level === 'token' ? logRatios : sequenceMean(graph, logRatios));
  // k3 = e^d − d − 1, d = log π_ref − log π_θ (Schulman, "Approximating KL divergence")
  const d = op.sub(ref, logprobs);
  const kls = op.sub(op.sub(op.exp(d), d), 1);
  // With the bias correction k3 × ρ: its gradient is then that of KL(π_θ ‖ π_ref) (TRL, use_bias_correction_kl).
  const penalty = op.where(graph.input('correctKl', 'bool', []), op.mul(kls, ratios), kls);
  const gain = surrogate({ graph, logprobs, ratios, advantages, ratioHigh });
  return { objective: op.sub(gain, op.mul(graph.input('beta', 'float32', []), penalty)), ratios, kls };
}

/** The mean over each sequence's tokens, repeated for each of them. Inputs: `sequenceOf` [R], `tokenShares` [S] = 1/length. */
function sequenceMean(graph: Graph, x: Value): Value {
  const sequenceOf = graph.input('sequenceOf', 'int64', ['R']);
  const shares = graph.input('tokenShares', 'float32', ['S', 1]);
  const membership = op.oneHot(sequenceOf, 'S');
  const sums = op.gemm(membership, op.reshape(x, ['R', 1]), { transA: true });
  return op.reshape(op.gemm(membership, op.mul(sums, shares)), ['R']);
}

/**
 * min(min(ρ, δ)·A, clip(ρ, low, high)·A): PPO's clipped objective, two-sided where δ is
 * finite (INTELLECT-2, arXiv 2505.07291). Scalar inputs `ratioLow` (1 − ε) and `delta`.
 */
function clippedSurrogate({ graph, ratios, advantages, ratioHigh }: SurrogateInput): Value {
  const ratioLow = graph.input('ratioLow', 'float32', []);
  const delta = graph.input('delta', 'float32', []);
  const clipped = op.min(op.max(ratios, ratioLow), ratioHigh);
  return op.min(op.mul(op.min(ratios, delta), advantages), op.mul(clipped, advantages));
}

/** stop_gradient(min(ρ, ratio_high))·A·log π */
function cispoSurrogate({ logprobs, ratios, advantages, ratioHigh }: SurrogateInput): Value {
  const bounded = op.stopGradient(op.min(ratios, ratioHigh));
  return op.mul(op.mul(bounded, advantages), logprobs);
}

/**
 * An independent Llama and GRPO in plain float64 loops, to measure the engine's gradients
 * against by finite differences. It shares nothing with the engine but the configuration.
 */

import type { ModelConfig } from '../../../engine/model/architecture.ts';
import type { Sequence } from '../../../engine/train/micro-batches.ts';
import type { PreferenceBatch } from '../../../engine/train/preferences.ts';
import type { SftBatch, TrainBatch } from '../../../engine/train/train-batch.ts';

export type Weights = ReadonlyMap<string, Float64Array>;

function get(weights: Weights, name: string): Float64Array {
  const found = weights.get(name);
  if (found === undefined) throw new Error(`no weight ${name}`);
  return found;
}

const at = (values: ArrayLike<number>, index: number): number => values[index] ?? Number.NaN;

/** W·x + b, W [out, in]. */
function linear(weights: Weights, name: string, x: number[], out: number): number[] {
  const w = get(weights, `${name}.weight`);
  const b = weights.get(`${name}.bias`);
  return Array.from({ length: out }, (_, o) => {
    let sum = b ? at(b, o) : 0;
    x.forEach((value, i) => {
      sum += at(w, o * x.length + i) * value;
    });
    return sum;
  });
}

function rmsNorm(weights: Weights, name: string, x: number[], epsilon: number): number[] {
  const w = get(weights, `${name}.weight`);
  const meanSquare = x.reduce((sum, value) => sum + value * value, 0) / x.length;
  return x.map((value, i) => (value / Math.sqrt(meanSquare + epsilon)) * at(w, i));
}

/** Hugging Face's rotate_half: pairs (i, i + h/2). */
function rotate(x: number[], position: number, head: number, theta: number): number[] {
  return x.map((value, index) => {
    const i = index % head;
    const pair = i % (head / 2);
    const angle = position * theta ** ((-2 * pair) / head);
    const other = i < head / 2 ? -at(x, index + head / 2) : at(x, index - head / 2);
    return value * Math.cos(angle) + other * Math.sin(angle);
  });
}

function attend(config: ModelConfig, q: number[], keys: number[][], values: number[][]): number[] {
  const { num_attention_heads: H, num_key_value_heads: K, head_dim: h } = config;
  return Array.from({ length: H }, (_, head) => {
    const shared = Math.floor(head / (H / K));
    const scores = keys.map((key) => {
      let dot = 0;
      for (let i = 0; i < h; i += 1) dot += at(q, head * h + i) * at(key, shared * h + i);
      return dot / Math.sqrt(h);
    });
    const top = Math.max(...scores);
    const exps = scores.map((score) => Math.exp(score - top));
    const total = exps.reduce((a, b) => a + b, 0);
    return Array.from({ length: h }, (_, i) =>
      values.reduce((sum, value, s) => sum + (at(exps, s) / total) * at(value, shared * h + i), 0),
    );
  }).flat();
}

/** The last hidden state of each token, after the final norm. */
export function hiddenStates(config: ModelConfig, weights: Weights, tokens: readonly number[]): number[][] {
  const { hidden_size: D, intermediate_size: F, head_dim: h, rope_theta, rms_norm_eps } = config;
  const embedding = get(weights, 'model.embed_tokens.weight');
  let xs = tokens.map((token) => [...embedding.subarray(token * D, (token + 1) * D)]);
  for (let layer = 0; layer < config.num_hidden_layers; layer += 1) {
    const name = `model.layers.${layer}`;
    const normed = xs.map((x) => rmsNorm(weights, `${name}.input_layernorm`, x, rms_norm_eps));
    const project = (which: string, heads: number) =>
      normed.map((x) => linear(weights, `${name}.self_attn.${which}`, x, heads * h));
    const q = project('q_proj', config.num_attention_heads).map((x, t) => rotate(x, t, h, rope_theta));
    const k = project('k_proj', config.num_key_value_heads).map((x, t) => rotate(x, t, h, rope_theta));
    const v = project('v_proj', config.num_key_value_heads);
    xs = xs.map((x, t) => {
      const mixed = attend(config, q[t] ?? [], k.slice(0, t + 1), v.slice(0, t + 1));
      const out = linear(weights, `${name}.self_attn.o_proj`, mixed, D);
      return x.map((value, i) => value + at(out, i));
    });
    xs = xs.map((x) => {
      const y = rmsNorm(weights, `${name}.post_attention_layernorm`, x, rms_norm_eps);
      const gate = linear(weights, `${name}.mlp.gate_proj`, y, F);
      const up = linear(weights, `${name}.mlp.up_proj`, y, F);
      const inner = gate.map((g, i) => (g / (1 + Math.exp(-g))) * at(up, i));
      const out = linear(weights, `${name}.mlp.down_proj`, inner, D);
      return x.map((value, i) => value + at(out, i));
    });
  }
  return xs.map((x) => rmsNorm(weights, 'model.norm', x, rms_norm_eps));
}

/** Logits after each token. */
export function forward(config: ModelConfig, weights: Weights, tokens: readonly number[]): number[][] {
  const head = config.tie_word_embeddings ? 'model.embed_tokens' : 'lm_head';
  return hiddenStates(config, weights, tokens).map((x) => linear(weights, head, x, config.vocab_size));
}

/** The scalar head's reading at the last token that is not padding. */
export function sequenceScore(config: ModelConfig, weights: Weights, tokens: readonly number[]): number {
  const last = tokens.findLastIndex((token) => token !== config.pad_token_id);
  const hidden = hiddenStates(config, weights, tokens)[last] ?? [];
  return at(linear(weights, 'score', hidden, 1), 0);
}

/** Of pairs −Σ w·log σ(r_chosen − r_rejected), of labels −Σ w·(y·log σ(r) + (1 − y)·log(1 − σ(r))), as written. */
export function preferenceLoss(config: ModelConfig, batch: PreferenceBatch): (weights: Weights) => number {
  const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
  return (weights) => {
    const scores = batch.sequencesN.map((tokens) => sequenceScore(config, weights, [...tokens]));
    return scores.reduce((loss, score, n) => {
      const weight = at(batch.lossWeightsN, n);
      if (batch.labelsN !== null) {
        const y = at(batch.labelsN, n);
        return loss - weight * (y * Math.log(sigmoid(score)) + (1 - y) * Math.log(1 - sigmoid(score)));
      }
      return n % 2 === 1 ? loss : loss - weight * Math.log(sigmoid(score - at(scores, n + 1)));
    }, 0);
  };
}

/** log softmax(logits / temperature) of each completion token. */
export function tokenLogprobs(
  config: ModelConfig,
  weights: Weights,
  { promptTokens, completionTokens }: Sequence,
  temperature: number,
): number[] {
  const logits = forward(config, weights, [...promptTokens, ...completionTokens].slice(0, -1));
  return Array.from(completionTokens, (token, t) => {
    const scaled = (logits[promptTokens.length - 1 + t] ?? []).map((logit) => logit / temperature);
    const top = Math.max(...scaled);
    return at(scaled, token) - top - Math.log(scaled.reduce((sum, value) => sum + Math.exp(value - top), 0));
  });
}

/** The loss as a function of the weights. `base` holds the weights whose log-probabilities are "the pass's own". */
export function grpoLoss(
  config: ModelConfig,
  base: Weights,
  batch: TrainBatch,
): (weights: Weights) => number {
  const { sequences, options, advantagesB, tokenWeights } = batch;
  const own = sequences.map((sequence) => tokenLogprobs(config, base, sequence, options.temperature));
  return (weights) => {
    let loss = 0;
    sequences.forEach((sequence, b) => {
      const logprobs = tokenLogprobs(config, weights, sequence, options.temperature);
      const old = batch.oldLogprobs?.[b] ?? own[b] ?? [];
      const ref = batch.refLogprobs?.[b] ?? own[b] ?? [];
      const A = at(advantagesB, b);
      const logRatios = logprobs.map((logprob, t) => logprob - at(old, t));
      const mean = logRatios.reduce((sum, value) => sum + value, 0) / logRatios.length;
      const ownMean =
        (own[b] ?? []).reduce((sum, value, t) => sum + value - at(old, t), 0) / logRatios.length;
      logprobs.forEach((logprob, t) => {
        const sequenceLevel = options.importance_sampling_level === 'sequence';
        const ratio = Math.exp(sequenceLevel ? mean : at(logRatios, t));
        const fixedRatio = Math.exp(sequenceLevel ? ownMean : at(own[b] ?? [], t) - at(old, t));
        const clipped = Math.min(Math.max(ratio, 1 - options.epsilon), 1 + options.epsilon_high);
        const bounded = options.delta === null ? ratio : Math.min(ratio, options.delta);
        const surrogate =
          options.loss === 'cispo'
            ? Math.min(fixedRatio, options.epsilon_high) * A * logprob
            : Math.min(bounded * A, clipped * A);
        const d = at(ref, t) - logprob;
        const k3 = Math.exp(d) - d - 1;
        const penalty = options.use_bias_correction_kl ? k3 * ratio : k3;
        loss -= at(tokenWeights[b] ?? [], t) * (surrogate - options.beta * penalty);
      });
    });
    return loss;
  };
}

export function sftLoss(config: ModelConfig, batch: SftBatch): (weights: Weights) => number {
  return (weights) => {
    let loss = 0;
    batch.sequences.forEach((sequence, b) => {
      tokenLogprobs(config, weights, sequence, 1).forEach((logprob, t) => {
        loss -= at(batch.tokenWeights[b] ?? [], t) * logprob;
      });
    });
    return loss;
  };
}

/** Central differences of a loss for every element of every weight. */
export function finiteDifferences(
  loss: (weights: Weights) => number,
  weights: Weights,
): Map<string, Float64Array> {
  const h = 1e-5;
  const moved = new Map([...weights].map(([name, data]) => [name, Float64Array.from(data)]));
  return new Map(
    [...moved].map(([name, data]) => {
      const gradient = Float64Array.from(data, (value, i) => {
        data[i] = value + h;
        const above = loss(moved);
        data[i] = value - h;
        const below = loss(moved);
        data[i] = value;
        return (above - below) / (2 * h);
      });
      return [name, gradient];
    }),
  );
}

/**
 * Drawing one token from one row of logits, in float64 and without state: the same logits, options and
 * uniform give the same token in any process.
 *
 * The order is Hugging Face's: temperature, then top-k, then top-p over the remaining tokens. The
 * log-probability is that of softmax(logits / temperature) before top-k and top-p, as the
 * training pass computes it; that of a greedy token (temperature 0) is at temperature 1.
 *
 * Differences from Hugging Face: exactly k tokens survive top-k where several tie at rank k, and all ties go to
 * the lowest id.
 */

export interface SamplerOptions {
  /** softmax(logits / temperature); 0 means greedy */
  temperature: number;
  /** 1 means off */
  top_p?: number;
  /** 0 means off */
  top_k?: number;
}

export interface SampledToken {
  token: number;
  /** natural logarithm */
  logprob: number;
}

/** Draws from a row of logits [V] with one uniform in [0, 1). */
export type Sampler = (logitsV: Float32Array, uniform: number) => SampledToken;

/** Thrown when logits have no softmax (NaN, +∞, or all −∞): the weights have diverged. */
export class LogitsError extends Error {
  override name = 'LogitsError';
}

/** A sampler for rows of `vocabSize` logits; its scratch memory is reused from draw to draw. */
export function createSampler(options: SamplerOptions, vocabSize: number): Sampler {
  const { temperature, top_p = 1, top_k = 0 } = options;
  checkOptions(temperature, top_p, top_k);
  const weightsV = new Float64Array(vocabSize);
  const greedy = temperature === 0;
  const scale = greedy ? 1 : temperature;
  const truncates = !greedy && (top_p < 1 || (top_k > 0 && top_k < vocabSize));
  return (logitsV, uniform) => {
    const likeliest = argmax(logitsV);
    const largest = logitsV[likeliest] ?? Number.NaN;
    const total = softmaxWeights(logitsV, largest, scale, weightsV);
    const token = greedy
      ? likeliest
      : truncates
        ? drawAmong(nucleus(weightsV, total, top_k, top_p), weightsV, uniform)
        : draw(weightsV, total, uniform);
    // log p = (l − max l) / T − log Σ w
    const logprob = ((logitsV[token] ?? Number.NaN) - largest) / scale - Math.log(total);
    return { token, logprob };
  };
}

/** One draw, for callers that draw rarely. */
export function sampleToken(logitsV: Float32Array, uniform: number, options: SamplerOptions): SampledToken {
  return createSampler(options, logitsV.length)(logitsV, uniform);
}

/** The first index of the largest logit. */
export function argmax(logitsV: Float32Array): number {
  let best = 0;
  let largest = Number.NEGATIVE_INFINITY;
  for (let v = 0; v < logitsV.length; v++) {
    const logit = logitsV[v] ?? Number.NaN;
    if (logit > largest) {
      largest = logit;
      best = v;
    }
  }
  return best;
}

/** w_v = exp((l_v − max l) / T) into `weightsV`; returns Σ w. */
function softmaxWeights(
  logitsV: Float32Array,
  largest: number,
  scale: number,
  weightsV: Float64Array,
): number {
  let total = 0;
  for (let v = 0; v < logitsV.length; v++) {
    const weight = Math.exp(((logitsV[v] ?? Number.NaN) - largest) / scale);
    weightsV[v] = weight;
    total += weight;
  }
  // NaN, +∞ and rows of −∞ alone make the total NaN.
  if (!(total > 0)) throw new LogitsError(describe(logitsV));
  return total;
}

/** Inverse CDF in the order of ids: the first token whose cumulative weight exceeds uniform · Σ w. */
function draw(weightsV: Float64Array, total: number, uniform: number): number {
  const target = uniform * total;
  let cumulative = 0;
  let last = 0;
  for (let v = 0; v < weightsV.length; v++) {
    const weight = weightsV[v] ?? 0;
    if (weight === 0) continue;
    cumulative += weight;
    last = v;
    if (cumulative > target) break;
  }
  return last;
}

/** The same over some tokens only, given in the order of ids. */
function drawAmong(ids: Uint32Array, weightsV: Float64Array, uniform: number): number {
  let total = 0;
  for (const id of ids) total += weightsV[id] ?? 0;
  const target = uniform * total;
  let cumulative = 0;
  for (const id of ids) {
    cumulative += weightsV[id] ?? 0;
    if (cumulative > target) return id;
  }
  return ids.at(-1) ?? 0;
}

/**
 * The tokens that top-k and then top-p leave, in the order of ids: of the k heaviest, the smallest set of
 * heaviest whose share is at least p; never empty.
 */
function nucleus(weightsV: Float64Array, total: number, topK: number, topP: number): Uint32Array {
  const candidates = topK > 0 ? everyToken(weightsV) : likelyTokens(weightsV, total, topP);
  const heaviest = candidates.sort((a, b) => (weightsV[b] ?? 0) - (weightsV[a] ?? 0) || a - b);
  const kept = topK > 0 ? heaviest.subarray(0, topK) : heaviest;
  const share = topK > 0 ? sum(kept, weightsV) : total;
  let cumulative = 0;
  let count = 0;
  do {
    cumulative += weightsV[kept[count] ?? 0] ?? 0;
    count += 1;
  } while (count < kept.length && (topP === 1 || cumulative < topP * share));
  return kept.slice(0, count).sort();
}

function everyToken(weightsV: Float64Array): Uint32Array {
  return Uint32Array.from(weightsV, (_, v) => v);
}

/**
 * A superset of the nucleus, which avoids sorting a large vocabulary: tokens with a share below (1 − p) / V
 * have less than 1 − p together, so the others have at least p.
 */
function likelyTokens(weightsV: Float64Array, total: number, topP: number): Uint32Array {
  const floor = ((1 - topP) / weightsV.length) * total;
  const ids: number[] = [];
  for (let v = 0; v < weightsV.length; v++) if ((weightsV[v] ?? 0) >= floor) ids.push(v);
  return Uint32Array.from(ids);
}

function sum(ids: Uint32Array, weightsV: Float64Array): number {
  let total = 0;
  for (const id of ids) total += weightsV[id] ?? 0;
  return total;
}

function checkOptions(temperature: number, topP: number, topK: number): void {
  if (!(temperature >= 0 && temperature < Number.POSITIVE_INFINITY)) {
    throw new RangeError(`temperature: expected a number from 0 (greedy) up, found ${temperature}`);
  }
  if (!(topP > 0 && topP <= 1)) throw new RangeError(`top_p: expected 0 < top_p ≤ 1, found ${topP}`);
  if (!Number.isInteger(topK) || topK < 0) {
    throw new RangeError(`top_k: expected an integer from 0 (off) up, found ${topK}`);
  }
}

function describe(logitsV: Float32Array): string {
  const bad = logitsV.findIndex((logit) => Number.isNaN(logit) || logit === Number.POSITIVE_INFINITY);
  const what = bad < 0 ? 'every logit is −∞' : `logit ${bad} of ${logitsV.length} is ${logitsV[bad]}`;
  return (
    `No token can be drawn: ${what}. The weights have diverged: resume from an earlier checkpoint, ` +
    'with a lower learning rate or tighter clipping.'
  );
}

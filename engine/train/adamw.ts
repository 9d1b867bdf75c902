/**
 * Clipping by the global norm and AdamW (Loshchilov & Hutter, arXiv 1711.05101, algorithm 2,
 * in PyTorch's arrangement), in place.
 *
 * Plain loops over the native memory, in float64 between read and write: one pass over memory,
 * where a graph of elementwise operators takes a dozen. The bits depend neither on the number of
 * threads nor on the machine's vector instructions.
 */

/** The numbers in force for one update. */
export interface AdamWOptions {
  learning_rate: number;
  adam_beta1: number;
  adam_beta2: number;
  adam_epsilon: number;
  weight_decay: number;
  /** Updates so far, this one included: 1 for the first. */
  step: number;
}

/** One weight tensor, its gradient and moments; all of one length. */
export interface Parameter {
  name: string;
  weight: Float32Array;
  gradient: Float32Array;
  /** Moving mean of the gradient. */
  expAvg: Float32Array;
  /** Moving mean of its square. */
  expAvgSq: Float32Array;
}

/** Weight decay is for matrices: scales of norms and biases do not decay, as in transformers. */
export function decays(name: string): boolean {
  return !name.endsWith('.bias') && !/norm/i.test(name);
}

/** √(Σ g²) over all gradients, summed in the order given. */
export function globalNorm(gradients: Iterable<Float32Array>): number {
  let sum = 0;
  for (const gradient of gradients) sum += sumOfSquares(gradient);
  return Math.sqrt(sum);
}

function sumOfSquares(x: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < x.length; i += 1) {
    const value = x[i] ?? 0;
    sum += value * value;
  }
  return sum;
}

/** The factor that reduces a gradient's norm to the limit; 1 below the limit or without one (0). */
export function clipFactor(norm: number, maxGradNorm: number): number {
  if (maxGradNorm === 0) return 1;
  // g ← g·min(1, limit/(‖g‖ + 1e-6)), torch.nn.utils.clip_grad_norm_
  return Math.min(1, maxGradNorm / (norm + 1e-6));
}

/** One update of one weight tensor by its gradient × `gradientFactor`. */
export function adamWUpdate(parameter: Parameter, gradientFactor: number, options: AdamWOptions): void {
  const { weight, gradient, expAvg, expAvgSq } = parameter;
  const { adam_beta1: beta1, adam_beta2: beta2, adam_epsilon: epsilon, learning_rate, step } = options;
  // θ ← θ·(1 − η·λ)
  const kept = decays(parameter.name) ? 1 - learning_rate * options.weight_decay : 1;
  // m̂ = m/(1 − β₁ᵗ), v̂ = v/(1 − β₂ᵗ)
  const stepSize = learning_rate / (1 - beta1 ** step);
  const correction = 1 / Math.sqrt(1 - beta2 ** step);
  for (let i = 0; i < weight.length; i += 1) {
    const g = (gradient[i] ?? 0) * gradientFactor;
    // m ← β₁·m + (1 − β₁)·g,  v ← β₂·v + (1 − β₂)·g²
    const m = beta1 * (expAvg[i] ?? 0) + (1 - beta1) * g;
    const v = beta2 * (expAvgSq[i] ?? 0) + (1 - beta2) * g * g;
    expAvg[i] = m;
    expAvgSq[i] = v;
    // θ ← θ − η·m̂/(√v̂ + ε)
    weight[i] = (weight[i] ?? 0) * kept - (stepSize * m) / (Math.sqrt(v) * correction + epsilon);
  }
}

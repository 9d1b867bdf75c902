/**
 * How much each token counts in the loss of a step:
 *
 *     loss = − Σ_b w_b · Σ_t l_bt,   l = min(ρA, clip(ρ, 1−ε, 1+ε)A) − β·k3
 *
 * All tokens of a completion weigh the same under every loss type, so there is one weight per completion.
 * Weights refer to the whole batch of the step, not to micro-batches: a trainer that cuts the batch to fit its
 * memory adds up the losses of the parts with these weights, and gets the same sum.
 *
 * Axes: B = completions of the step's batch, T = tokens of a completion.
 */
import type { GrpoOptions } from '../../contracts/options.ts';

export type LossWeightOptions = Pick<
  GrpoOptions,
  'loss_type' | 'max_completion_length' | 'mask_truncated_completions'
>;

export interface CompletionLength {
  /** Sampled tokens, the end token among them. */
  tokens: number;
  /** Cut by the limit before its end token. */
  truncated: boolean;
}

/** Token counts that the weights are computed from: of one completion and of the batch, masked tokens left out. */
interface Counts {
  tokens: number;
  batchTokens: number;
  completions: number;
  maxTokens: number;
}

const perToken: Record<GrpoOptions['loss_type'], (counts: Counts) => number> = {
  // mean over completions of the mean over their tokens (DeepSeekMath, equation 3)
  grpo: ({ tokens, completions }) => 1 / (completions * Math.max(1, tokens)),
  // sum over tokens ÷ all tokens of the step's batch (DAPO, arXiv 2503.14476, equation 8)
  dapo: ({ batchTokens }) => 1 / Math.max(1, batchTokens),
  // sum over tokens ÷ tokens of the micro-batch; a step's batch is one micro-batch here, so it equals dapo
  bnpo: ({ batchTokens }) => 1 / Math.max(1, batchTokens),
  // sum over tokens ÷ (completions · limit): independent of the completions' lengths (arXiv 2503.20783)
  dr_grpo: ({ completions, maxTokens }) => 1 / (completions * maxTokens),
};

/**
 * weightsB: the weight of each token of completion b. With `mask_truncated_completions` a truncated one
 * weighs 0 and its tokens leave the batch's count, but it stays one of the completions that are averaged
 * over (as in TRL).
 */
export function lossWeights(lengthsB: readonly CompletionLength[], options: LossWeightOptions): number[] {
  const tokensB = lengthsB.map(({ tokens, truncated }) =>
    truncated && options.mask_truncated_completions ? 0 : tokens,
  );
  const batch = {
    batchTokens: tokensB.reduce((total, tokens) => total + tokens, 0),
    completions: lengthsB.length,
    maxTokens: options.max_completion_length,
  };
  const weigh = perToken[options.loss_type];
  return tokensB.map((tokens) => (tokens === 0 ? 0 : weigh({ ...batch, tokens })));
}

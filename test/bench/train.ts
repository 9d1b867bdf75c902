/**
 * Tokens per second of a train step of 64 × 128 tokens (forward, GRPO loss, backward, clipping, AdamW) on
 * the nano model. The first two steps, which build the session and its memory, are not counted.
 */
import type { ModelConfig } from '../../engine/model-config.ts';
import { openRuntime } from '../../engine/runtime.ts';
import { grpoBatch, randomPolicy } from '../engine/fixtures.ts';

/** What the peer trains on too. */
export const TRAINED = { sequences: 64, prompt: 17, length: 128 };
const STEPS = 12;

export interface TrainFigure {
  best: number;
  median: number;
}

/** Tokens per second, best and median of several steps. */
export function trainFigure(config: ModelConfig, threads: number): TrainFigure {
  const { sequences: rows, prompt: promptLength, length } = TRAINED;
  const policy = randomPolicy({ runtime: openRuntime({ threads }), config, seed: 1 });
  // The last token of a sequence predicts nothing: 129 tokens are 128 positions.
  const shape = { rows, promptLength, completionLength: length + 1 - promptLength, seed: 2 };
  const batch = grpoBatch({ config: policy.config, ...shape });
  const seconds = Array.from({ length: STEPS }, (_, index) => {
    const start = performance.now();
    policy.trainStep({ ...batch, options: { ...batch.options, step: index + 1 } });
    return (performance.now() - start) / 1000;
  });
  policy.dispose();
  const rates = seconds.slice(2).map((time) => (rows * length) / time);
  rates.sort((a, b) => b - a);
  return { best: rates[0] ?? 0, median: rates[rates.length >> 1] ?? 0 };
}

/**
 * Tokens per second of a train step of 64 × 128 tokens (forward, GRPO loss, backward, clipping, AdamW) on
 * the nano model. The first two steps, which build the session and its memory, are not counted.
 */
import { openRuntime } from '../../engine/runtime.ts';
import { grpoBatch, nanoConfig, randomPolicy } from '../engine/fixtures.ts';

const ROWS = 64;
const LENGTH = 128;
const PROMPT = 17;
const STEPS = 12;
/** As the nano base has them. */
const KEY_VALUE_HEADS = 2;

export interface TrainFigure {
  best: number;
  median: number;
}

/** Tokens per second, best and median of several steps. */
export function trainFigure(threads: number): TrainFigure {
  const config = { ...nanoConfig, num_key_value_heads: KEY_VALUE_HEADS };
  const policy = randomPolicy({ runtime: openRuntime({ threads }), config, seed: 1 });
  // The last token of a sequence predicts nothing: 129 tokens are 128 positions.
  const shape = { rows: ROWS, promptLength: PROMPT, completionLength: LENGTH + 1 - PROMPT, seed: 2 };
  const batch = grpoBatch({ config: policy.config, ...shape });
  const seconds = Array.from({ length: STEPS }, (_, index) => {
    const start = performance.now();
    policy.trainStep({ ...batch, options: { ...batch.options, step: index + 1 } });
    return (performance.now() - start) / 1000;
  });
  policy.dispose();
  const rates = seconds.slice(2).map((time) => (ROWS * LENGTH) / time);
  rates.sort((a, b) => b - a);
  return { best: rates[0] ?? 0, median: rates[rates.length >> 1] ?? 0 };
}

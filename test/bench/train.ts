/**
 * Tokens per second of a GRPO train step (forward, loss, backward, clipping, AdamW) on the nano model: with full rows,
 * and with the ragged lengths of real completions. The first two steps, which build the session and its memory,
 * are not counted.
 */

import type { ModelConfig } from '../../engine/model/architecture.ts';
import { openRuntime } from '../../engine/runtime/runtime.ts';
import type { Sequence } from '../../engine/train/micro-batches.ts';
import { grpoBatch, randomPolicy } from '../engine/fixtures.ts';

const SEQUENCES = 64;
const LENGTH = 128;
const PROMPT = 17;
const STEPS = 12;

export interface TrainFigure {
  name: string;
  best: number;
  median: number;
  /** tokens of prompt and completion of each sequence, for the peer */
  lengths: [number, number][];
}

const cases = [
  { name: `${SEQUENCES} × ${LENGTH} tokens`, ragged: false },
  { name: `${SEQUENCES} ragged, up to ${LENGTH}`, ragged: true },
];

/** Tokens per second, best and median of several steps. */
export function trainFigures(config: ModelConfig, threads: number): TrainFigure[] {
  const runtime = openRuntime({ threads });
  return cases.map(({ name, ragged }) => {
    const policy = randomPolicy({ runtime, config, seed: 1 });
    // The last token of a sequence predicts nothing: 129 tokens are 128 positions.
    const shape = { rows: SEQUENCES, promptLength: PROMPT, completionLength: LENGTH + 1 - PROMPT, ragged };
    const batch = grpoBatch({ config, ...shape, seed: 2 });
    const lengths = batch.sequences.map(lengthsOf);
    const seconds = Array.from({ length: STEPS }, (_, index) => {
      const start = performance.now();
      policy.trainStep({ ...batch, options: { ...batch.options, step: index + 1 } });
      return (performance.now() - start) / 1000;
    });
    policy.dispose();
    const positions = lengths.reduce((sum, [prompt, completion]) => sum + prompt + completion - 1, 0);
    const rates = seconds.slice(2).map((time) => positions / time);
    rates.sort((a, b) => b - a);
    return { name, lengths, best: rates[0] ?? 0, median: rates[rates.length >> 1] ?? 0 };
  });
}

const lengthsOf = ({ promptTokens, completionTokens }: Sequence): [number, number] => [
  promptTokens.length,
  completionTokens.length,
];

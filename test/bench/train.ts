/**
 * Tokens per second of a train step of 64 × 128 tokens (forward, GRPO loss, backward, clipping, AdamW) on
 * the nano model. The first two steps, which build the session and its memory, are not counted.
 *
 *     node --import tsx test/bench/train.ts [--threads 2] [--steps 12] [--heads 4] [--micro 1024]
 */
import { parseArgs } from 'node:util';
import { openRuntime } from '../../engine/runtime.ts';
import { grpoBatch, nanoConfig, randomPolicy } from '../engine/fixtures.ts';

const { values } = parseArgs({
  options: {
    threads: { type: 'string', default: '2' },
    steps: { type: 'string', default: '12' },
    /** key-value heads; there are four query heads */
    heads: { type: 'string', default: '4' },
    /** positions a micro-batch */
    micro: { type: 'string' },
  },
});

const ROWS = 64;
const LENGTH = 128;
const PROMPT = 17;

const runtime = openRuntime({ threads: Number(values.threads) });
const policy = randomPolicy({
  runtime,
  config: { ...nanoConfig, num_key_value_heads: Number(values.heads) },
  seed: 1,
  maxMicroBatchTokens: values.micro === undefined ? undefined : Number(values.micro),
});
// The last token of a sequence predicts nothing: 129 tokens are 128 positions.
const shape = { rows: ROWS, promptLength: PROMPT, completionLength: LENGTH + 1 - PROMPT, seed: 2 };
const batch = grpoBatch({ config: policy.config, ...shape });

function timedStep(step: number): number {
  const start = performance.now();
  policy.trainStep({ ...batch, options: { ...batch.options, step } });
  return (performance.now() - start) / 1000;
}

const seconds = Array.from({ length: Number(values.steps) }, (_, index) => timedStep(index + 1));
const counted = seconds.slice(2).sort((a, b) => a - b);
const rate = (time = Number.NaN): string => Math.round((ROWS * LENGTH) / time).toLocaleString('en');
console.log(`first step: ${seconds[0]?.toFixed(2)} s`);
console.log(`best: ${rate(counted[0])} tokens/s, median: ${rate(counted[counted.length >> 1])} tokens/s`);
policy.dispose();

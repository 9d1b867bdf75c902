/** Times train steps of 64 × 128 tokens (forward, GRPO loss, backward, clipping, AdamW) on the nano model. */
import { parseArgs } from 'node:util';
import { openRuntime } from '../../engine/runtime.ts';
import { grpoBatch, nanoConfig, randomPolicy } from '../engine/fixtures.ts';

export function benchTraining(args: string[]): void {
  const { values } = parseArgs({
    args,
    options: {
      threads: { type: 'string', default: '2' },
      steps: { type: 'string', default: '12' },
      micro: { type: 'string' },
      heads: { type: 'string', default: '4' },
    },
  });
  const runtime = openRuntime({ threads: Number(values.threads) });
  const config = { ...nanoConfig, num_key_value_heads: Number(values.heads) };
  const maxMicroBatchTokens = values.micro === undefined ? undefined : Number(values.micro);
  const policy = randomPolicy({ runtime, config, seed: 1, maxMicroBatchTokens });
  const batch = grpoBatch({ config, rows: 64, promptLength: 17, completionLength: 112, seed: 2 });
  const tokens = 64 * 128;
  const seconds: number[] = [];
  for (let step = 1; step <= Number(values.steps); step += 1) {
    const start = performance.now();
    policy.trainStep({ ...batch, options: { ...batch.options, step } });
    seconds.push((performance.now() - start) / 1000);
  }
  const sorted = [...seconds.slice(2)].sort((a, b) => a - b);
  const rate = (time: number | undefined) => Math.round(tokens / (time ?? Number.NaN));
  console.log(`first step ${seconds[0]?.toFixed(2)} s (builds the session)`);
  console.log(
    `train step of 64×128 tokens: best ${rate(sorted[0])} tokens/s, median ${rate(sorted[sorted.length >> 1])} tokens/s`,
  );
  policy.dispose();
}

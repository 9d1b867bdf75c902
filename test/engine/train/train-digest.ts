/** Trains three steps in a process of its own and prints the digest of every bit that they left: `train-digest.ts THREADS`. */
import { createHash } from 'node:crypto';
import { openRuntime } from '../../../engine/runtime/runtime.ts';
import { grpoBatch, nanoConfig, randomPolicy } from '../fixtures.ts';

const runtime = openRuntime({ threads: Number(process.argv[2]), spinning: false });
const config = { ...nanoConfig, num_key_value_heads: 2 };
const policy = randomPolicy({ runtime, config, seed: 11 });
const shape = { config, rows: 24, promptLength: 12, completionLength: 60, ragged: true };
const hash = createHash('sha256');
for (let step = 1; step <= 3; step += 1) {
  const batch = grpoBatch({ ...shape, seed: step });
  const { logprobs } = policy.trainStep({
    ...batch,
    options: { ...batch.options, step, weight_decay: 0.01 },
  });
  for (const values of logprobs) hash.update(values);
}
for (const tensors of [policy.weights, policy.moments.expAvg, policy.moments.expAvgSq]) {
  for (const { data } of tensors.values()) hash.update(data);
}
console.log(hash.digest('hex'));
policy.dispose();

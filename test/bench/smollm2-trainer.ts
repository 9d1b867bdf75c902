/**
 * One process that trains a model of SmolLM2-135M's shape as a trainer does, in the engine's thread: sampling, the
 * reference's log-probabilities, a GRPO step, a copy for a checkpoint. Prints its figures as JSON.
 *
 *     node --import tsx test/bench/smollm2-trainer.ts THREADS
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { expectedTensors, type ModelConfig } from '../../engine/model/architecture.ts';
import { formatModelConfig, parseModelConfig } from '../../engine/model/model-config.ts';
import { collectGarbage } from '../../engine/runtime/memory.ts';
import { startEngineThread } from '../../engine/service/thread.ts';
import { encodeSafetensors, type StoredTensors } from '../../engine/weights/safetensors.ts';
import { SMOLLM2_SHAPE as SHAPE, SMOLLM2, type TrainerFigures } from './smollm2.ts';

const STEPS = 3;
const LEARNING = {
  learning_rate: 1e-6,
  max_grad_norm: 1,
  weight_decay: 0,
  adam_beta1: 0.9,
  adam_beta2: 0.999,
  adam_epsilon: 1e-8,
  epsilon: 0.2,
  epsilon_high: 0.2,
  delta: null,
  beta: 0.001,
  use_bias_correction_kl: false,
  loss_type: 'grpo',
  temperature: 1,
} as const;

/** Small weights in a fixed pattern; norms scale by 1. */
function weightsOf(config: ModelConfig): StoredTensors {
  return new Map(
    [...expectedTensors(config)].map(([name, shape]) => {
      const length = shape.reduce((product, size) => product * size, 1);
      const data = new Float32Array(length);
      for (let i = 0; i < length; i++) data[i] = shape.length > 1 ? 0.03 * Math.sin(i * 12.9898) : 1;
      return [name, { dtype: 'F32', shape, data }];
    }),
  );
}

/** Peak of the resident set in bytes, since the last call of `resetPeak`. */
const peak = () => 1024 * Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]);
const resetPeak = () => {
  collectGarbage();
  writeFileSync('/proc/self/clear_refs', '5');
};
const median = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
async function timed<T>(work: () => Promise<T>): Promise<{ result: T; seconds: number }> {
  const start = performance.now();
  const result = await work();
  return { result, seconds: (performance.now() - start) / 1000 };
}

const engine = startEngineThread({ threads: Number(process.argv[2]) });
const config = parseModelConfig(SMOLLM2);
await engine.callMoving('load', {
  config: JSON.parse(formatModelConfig(config)),
  model: encodeSafetensors(weightsOf(config)),
  moments: null,
  reference: null,
  withReference: true,
});
resetPeak();

// Groups of 8 share a prompt.
const promptsN = Array.from({ length: SHAPE.sequences }, (_, n) =>
  Int32Array.from({ length: SHAPE.prompt }, (_, t) => (977 * (n >> 3) + 31 * t) % config.vocab_size),
);
const sampling = { temperature: 1, top_p: 1, top_k: 0, max_completion_length: SHAPE.completion };
const [samplings, trainings]: [number[], number[]] = [[], []];
for (let step = 1; step <= STEPS; step++) {
  const seeds = promptsN.map((_, n) => String(1000 * step + n));
  const sampled = await timed(() =>
    engine.call('sample', { prompts: promptsN, seeds, sampling, eosTokenIds: [] }),
  );
  const completionsN = promptsN.map((_, n) =>
    Int32Array.from({ length: SHAPE.completion }, (_, t) => (31 * n + 7 * t + step) % config.vocab_size),
  );
  const referenceLogprobsT = await engine.call('logprobs', { promptsN, completionsN }, 1, 'reference');
  const split = (valuesT: Float32Array) =>
    completionsN.map((_, n) => valuesT.slice(SHAPE.completion * n, SHAPE.completion * (n + 1)));
  const trained = await timed(() =>
    engine.call('train', {
      promptsN,
      completionsN,
      advantagesN: Float32Array.from(promptsN, (_, n) => (n % 2 === 0 ? 1 : -1)),
      lossWeightsN: new Float32Array(SHAPE.sequences).fill(1 / (SHAPE.sequences * SHAPE.completion)),
      samplerLogprobsN: split(sampled.result.logprobsT),
      oldLogprobsN: null,
      referenceLogprobsN: split(referenceLogprobsT),
      numbers: { ...LEARNING, adam_step: step },
      refreshReference: null,
      digestAfter: false,
    }),
  );
  // The first step builds sessions and their memory.
  if (step > 1) {
    samplings.push(sampled.seconds);
    trainings.push(trained.seconds);
  }
}
const peakBytes = peak();
const staged = await engine.call('stage');
const figures: TrainerFigures = {
  samplingSeconds: median(samplings),
  stepSeconds: median(trainings),
  peakBytes,
  peakWithCheckpointBytes: staged.weights.size > 0 ? peak() : Number.NaN,
};
console.log(JSON.stringify(figures));
await engine.close();

/**
 * transformers reads a reward model's folder that the engine wrote. Runs where `R1_PEERS_PYTHON` names a
 * Python with torch, transformers and safetensors; skipped elsewhere.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { ModelConfig } from '../../engine/model/architecture.ts';
import { initialWeights, withScoreHead } from '../../engine/model/initial-weights.ts';
import { formatModelConfig } from '../../engine/model/model-config.ts';
import { openRuntime } from '../../engine/runtime/runtime.ts';
import { RewardModel } from '../../engine/train/reward-model.ts';
import { storedTensors, writeWeightsFolder } from '../../engine/weights/weights.ts';
import { grpoOptions, nanoConfig, randomSequences } from '../engine/fixtures.ts';

const python = process.env.R1_PEERS_PYTHON;
const skip = python === undefined && 'R1_PEERS_PYTHON does not name a Python with torch and transformers';

interface Answers {
  loading: Record<string, string[]>;
  labels: number;
  apart: number[];
  together: number[];
}

function ask(question: object): Answers {
  const script = fileURLToPath(new URL('./reward_model_answers.py', import.meta.url));
  const child = spawnSync(python ?? '', [script], { input: JSON.stringify(question), encoding: 'utf8' });
  assert.equal(child.status, 0, child.stderr);
  return JSON.parse(child.stdout.trim().split('\n').at(-1) ?? '');
}

const runtime = openRuntime({ threads: 2, spinning: false });
const PAD = 0;

/** A reward model after some steps on pairs, which make its head's weights larger. */
function trained(config: ModelConfig, sequencesN: Int32Array[]): RewardModel {
  const begun = withScoreHead({ config, weights: initialWeights(config, 5n) }, 6n);
  const weights = new Map(
    [...begun.weights].map(([name, { shape, data }]) => [name, runtime.createTensor('float32', shape, data)]),
  );
  const model = new RewardModel({ runtime, config: begun.config, weights });
  for (let step = 1; step <= 10; step += 1) {
    model.step({
      objective: 'pairwise',
      sequencesN,
      labelsN: null,
      lossWeightsN: sequencesN.map(() => 1),
      options: { ...grpoOptions, learning_rate: 1e-3, step },
    });
  }
  return model;
}

const shapes = {
  tied: { ...nanoConfig, pad_token_id: PAD, num_key_value_heads: 2 },
  'untied, with biases': {
    ...nanoConfig,
    pad_token_id: PAD,
    tie_word_embeddings: false,
    attention_bias: true,
  },
  Qwen2: { ...nanoConfig, architecture: 'Qwen2ForCausalLM', pad_token_id: PAD },
  Qwen3: { ...nanoConfig, architecture: 'Qwen3ForCausalLM', pad_token_id: PAD, head_dim: 16 },
} satisfies Record<string, ModelConfig>;

for (const [name, config] of Object.entries(shapes)) {
  test(`transformers reads a reward model's folder as it is and gives the same scores: ${name}`, {
    skip,
  }, async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'peers-'));
    t.after(() => rm(folder, { recursive: true }));
    const shape = { config, rows: 8, promptLength: 9, completionLength: 40, ragged: true, seed: 3 };
    const sequencesN = randomSequences(shape).map(({ promptTokens, completionTokens }) =>
      // transformers masks padding tokens inside a sequence, the engine attends to them: the sequences have none.
      Int32Array.of(...promptTokens, ...completionTokens).map((token) => Math.max(token, PAD + 1)),
    );
    const model = trained(config, sequencesN);
    await writeWeightsFolder(folder, storedTensors(model.parameters.weights));
    await writeFile(join(folder, 'config.json'), formatModelConfig(model.config));
    const answers = ask({ folder, sequences: sequencesN.map((tokens) => [...tokens]) });
    for (const [what, found] of Object.entries(answers.loading)) assert.deepEqual(found, [], what);
    assert.equal(answers.labels, 1);
    const scores = model.score(sequencesN);
    assert.ok(Math.max(...scores) - Math.min(...scores) > 0.5, 'the scores differ from one another');
    for (const theirs of [answers.apart, answers.together]) {
      const differences = theirs.map((score, n) => Math.abs(score - (scores[n] ?? Number.NaN)));
      t.diagnostic(`largest difference of a score: ${Math.max(...differences).toExponential(1)}`);
      assert.ok(Math.max(...differences) < 1e-4);
    }
    model.dispose();
  });
}

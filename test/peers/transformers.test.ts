/**
 * transformers reads a folder that the engine wrote. Runs where `R1_PEERS_PYTHON` names a Python with
 * torch, transformers and safetensors; skipped elsewhere.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  NANO_CHARACTERS,
  NANO_EOS_TOKEN_ID,
  NANO_VOCABULARY,
  nanoTokenizerConfigJson,
  nanoTokenizerJson,
} from '../../algorithm/nano/tokenizer.ts';
import { createDecoder } from '../../engine/decode/decoder.ts';
import { elementCount } from '../../engine/graph/tensor.ts';
import { expectedTensors, type ModelConfig } from '../../engine/model/architecture.ts';
import { formatModelConfig, parseModelConfig } from '../../engine/model/model-config.ts';
import { openRuntime } from '../../engine/runtime/runtime.ts';
import { loadTokenizer } from '../../engine/tokenizer/tokenizer.ts';
import { readWeightsFolder, storedTensors, writeWeightsFolder } from '../../engine/weights/weights.ts';

const python = process.env.R1_PEERS_PYTHON;
const skip = python === undefined && 'R1_PEERS_PYTHON does not name a Python with torch and transformers';

const config = parseModelConfig({
  model_type: 'llama',
  vocab_size: NANO_VOCABULARY.length,
  hidden_size: 64,
  intermediate_size: 96,
  num_hidden_layers: 3,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  max_position_embeddings: 256,
  rope_theta: 5000,
  tie_word_embeddings: true,
  eos_token_id: NANO_EOS_TOKEN_ID,
});

const texts = [
  NANO_CHARACTERS,
  '<think>1+2 check 3 wait </think><answer>3</answer>',
  '<|user|>1é😀2<|eos|>',
  '  a',
];
const messages = [
  { role: 'user', content: '1+1=?' },
  { role: 'assistant', content: '2' },
  { role: 'user', content: '2+2=?' },
] as const;

interface Answers {
  loading: Record<string, string[]>;
  logprobs: number[][];
  encoded: number[][];
  decoded: string[];
  shown: string[];
  chat: string;
  eos: number;
  pad: number;
}

function ask(question: object): Answers {
  const script = fileURLToPath(new URL('./transformers_answers.py', import.meta.url));
  const child = spawnSync(python ?? '', [script], { input: JSON.stringify(question), encoding: 'utf8' });
  assert.equal(child.status, 0, child.stderr);
  return JSON.parse(child.stdout.trim().split('\n').at(-1) ?? '');
}

/** A folder of random weights, and eight completions sampled from them. */
async function sampledFolder(t: TestContext, shape: ModelConfig) {
  const folder = await mkdtemp(join(tmpdir(), 'peers-'));
  t.after(() => rm(folder, { recursive: true }));
  const runtime = openRuntime({ threads: 2 });
  const weights = new Map(
    [...expectedTensors(shape)].map(([name, dims], index) => {
      const data = Float32Array.from({ length: elementCount(dims) }, (_, i) => {
        return (name.includes('norm') ? 1 : 0) + 0.2 * Math.sin(12.9898 * i + index);
      });
      return [name, runtime.createTensor('float32', dims, data)];
    }),
  );
  await writeWeightsFolder(folder, storedTensors(weights));
  await writeFile(join(folder, 'config.json'), formatModelConfig(shape));
  await writeFile(join(folder, 'tokenizer.json'), JSON.stringify(nanoTokenizerJson()));
  await writeFile(join(folder, 'tokenizer_config.json'), JSON.stringify(nanoTokenizerConfigJson(256)));
  const requests = Array.from({ length: 8 }, (_, i) => ({
    promptTokens: Int32Array.from({ length: 3 + 5 * i }, (_, t) => (i + 7 * t) % NANO_VOCABULARY.length),
    seed: BigInt(i),
  }));
  const decoder = createDecoder({ runtime, config: shape, weights });
  const completions = decoder.sample(requests, {
    temperature: 1,
    max_completion_length: 60,
    eosTokenIds: [],
  });
  return { folder, weights: storedTensors(weights), requests, completions };
}

const shapes = {
  tied: config,
  'untied, with biases, heads of 24': {
    ...config,
    tie_word_embeddings: false,
    attention_bias: true,
    head_dim: 24,
  },
  'Qwen2 with YaRN': {
    ...config,
    architecture: 'Qwen2ForCausalLM',
    rope_scaling: parseModelConfig({
      ...JSON.parse(formatModelConfig(config)),
      rope_parameters: { rope_type: 'yarn', factor: 4, original_max_position_embeddings: 64 },
    }).rope_scaling,
  },
  Qwen3: { ...config, architecture: 'Qwen3ForCausalLM', head_dim: 24, tie_word_embeddings: false },
} satisfies Record<string, ModelConfig>;

for (const [name, shape] of Object.entries(shapes)) {
  test(`transformers reads a written folder unchanged and computes the sampled probabilities: ${name}`, {
    skip,
  }, async (t) => {
    const { folder, weights, requests, completions } = await sampledFolder(t, shape);
    const sequences = requests.map(({ promptTokens }, i) => [
      [...promptTokens],
      [...(completions[i]?.tokens ?? [])],
    ]);
    const answers = ask({ folder, texts, messages, sequences });
    for (const [what, found] of Object.entries(answers.loading)) assert.deepEqual(found, [], what);
    const differences = completions.flatMap(({ logprobs }, i) => {
      return Array.from(logprobs, (logprob, t) =>
        Math.abs(logprob - (answers.logprobs[i]?.[t] ?? Number.NaN)),
      );
    });
    t.diagnostic(`largest difference of a log-probability: ${Math.max(...differences).toExponential(1)}`);
    assert.ok(Math.max(...differences) < 1e-4);
    assert.deepEqual(await readWeightsFolder(folder, shape), weights);
    const [ours, theirs] = await Promise.all(
      ['model.safetensors', 'rewritten.safetensors'].map((file) => readFile(join(folder, file))),
    );
    assert.ok(
      ours && theirs && ours.equals(theirs),
      'the file is byte for byte the one that safetensors writes',
    );
  });
}

test('transformers and the engine tokenize, show and template alike', { skip }, async (t) => {
  const { folder } = await sampledFolder(t, config);
  const answers = ask({ folder, texts, messages, sequences: [] });
  const tokenizer = loadTokenizer({ tokenizer: nanoTokenizerJson(), config: nanoTokenizerConfigJson(256) });
  const encoded = texts.map((text) => tokenizer.encode(text));
  assert.deepEqual(answers.encoded, encoded);
  assert.deepEqual(
    answers.decoded,
    encoded.map((ids) => tokenizer.decode(ids)),
  );
  assert.deepEqual(
    answers.shown,
    encoded.map((ids) => tokenizer.decode(ids, { skipSpecialTokens: true })),
  );
  assert.equal(answers.chat, tokenizer.applyChatTemplate(messages, { add_generation_prompt: true }));
  assert.deepEqual([answers.eos, answers.pad], [tokenizer.eosTokenId, tokenizer.padTokenId]);
});

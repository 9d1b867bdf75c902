/**
 * Compares the engine with the answers of transformers that `test/peers/architectures_answers.py` wrote: logits,
 * gradients and greedy completions of one tiny model.
 */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { createDecoder } from '../../../engine/decode/decoder.ts';
import { serialize } from '../../../engine/graph/onnx.ts';
import { elementCount } from '../../../engine/graph/tensor.ts';
import { expectedTensors, type ModelConfig } from '../../../engine/model/architecture.ts';
import { causalMask, rotaryTables } from '../../../engine/model/attention-inputs.ts';
import { buildSequenceGraph } from '../../../engine/model/full-attention.ts';
import { parsePolicyConfig } from '../../../engine/model/model-config.ts';
import type { Runtime } from '../../../engine/runtime/runtime.ts';
import type { Sequence } from '../../../engine/train/micro-batches.ts';
import { createPolicy } from '../../../engine/train/policy.ts';
import { decodeSafetensors, type StoredTensors } from '../../../engine/weights/safetensors.ts';
import { grpoOptions, meanOfMeans, uniform } from '../fixtures.ts';

const tokens = z.array(z.int());
const answersSchema = z.object({
  seed: z.int(),
  written_by_transformers: z.unknown(),
  sequences: z.array(z.object({ prompt: tokens, completion: tokens })),
  advantages: z.array(z.number()),
  greedy: z.array(tokens),
});

export interface PeerAnswers extends Omit<z.infer<typeof answersSchema>, 'sequences'> {
  config: ModelConfig;
  weights: StoredTensors;
  tensors: StoredTensors;
  sequences: Sequence[];
}

export async function readAnswers(folder: string): Promise<PeerAnswers> {
  const json = async (name: string): Promise<unknown> =>
    JSON.parse(await readFile(join(folder, name), 'utf8'));
  const config = parsePolicyConfig(await json('config.json'), folder);
  const { sequences, ...answers } = answersSchema.parse(await json('answers.json'));
  return {
    ...answers,
    config,
    weights: peerWeights(config, answers.seed),
    tensors: decodeSafetensors(await readFile(join(folder, 'answers.safetensors'))),
    sequences: sequences.map(({ prompt, completion }) => ({
      promptTokens: Int32Array.from(prompt),
      completionTokens: Int32Array.from(completion),
    })),
  };
}

/** The weights that the script draws. */
function peerWeights(config: ModelConfig, seed: number): StoredTensors {
  const shapes = [...expectedTensors(config)].sort(([a], [b]) => (a < b ? -1 : 1));
  const drawn = shapes.map(([name, shape], index) => {
    const [center, scale] = rangeOf(name, shape);
    const next = uniform(seed + 7919 * index);
    const data = Float32Array.from({ length: elementCount(shape) }, () => center + scale * (2 * next() - 1));
    return [name, { dtype: 'F32', shape, data }] as const;
  });
  return new Map(drawn);
}

function rangeOf(name: string, shape: readonly number[]): [center: number, scale: number] {
  if (name.includes('norm')) return [1, 0.3];
  return [0, shape[1] === undefined ? 0.5 : 2 / Math.sqrt(shape[1])];
}

export interface Differences {
  /** the largest of a logit */
  logits: number;
  /** the largest norm of a gradient's difference, as a share of what is allowed */
  float32: number;
  float64: number;
}

/** Asserts that logits, gradients and greedy completions are those of transformers; returns how far they are apart. */
export function compareWithAnswers(runtime: Runtime, answers: PeerAnswers): Differences {
  const { config, sequences } = answers;
  const weights = new Map(
    [...answers.weights].map(([name, { shape, data }]) => [
      name,
      runtime.createTensor('float32', shape, data),
    ]),
  );
  const policy = createPolicy({ runtime, config, weights });
  const logits = sequences.map((sequence, i) => {
    const found = logitsOf(runtime, policy.weights, config, sequence);
    return greatest(found, tensorOf(answers, `logits.${i}`));
  });
  policy.computeGradients({
    sequences,
    advantagesB: Float32Array.from(answers.advantages),
    oldLogprobs: null,
    refLogprobs: null,
    tokenWeights: meanOfMeans(sequences),
    options: { ...grpoOptions, beta: 0 },
  });
  const gradients = new Map([...policy.gradients].map(([name, { data }]) => [name, data]));
  const differences = {
    logits: Math.max(...logits),
    float32: gradientDifference(gradients, answers, 'float32', { ofTensor: 5e-5, ofAll: 1e-6 }),
    float64: gradientDifference(gradients, answers, 'float64', { ofTensor: 1e-5, ofAll: 1e-6 }),
  };
  const decoder = createDecoder({ runtime, config, weights: policy.weights });
  const sampled = decoder.sample(
    sequences.map(({ promptTokens }) => ({ promptTokens, seed: 1n })),
    { temperature: 0, max_completion_length: answers.greedy[0]?.length ?? 0, eosTokenIds: [] },
  );
  decoder.dispose();
  policy.dispose();
  assert.ok(differences.logits < 1e-4, `logits differ by ${differences.logits}`);
  assert.ok(differences.float32 < 1, `gradients differ by ${differences.float32} of what float32 allows`);
  assert.ok(differences.float64 < 1, `gradients differ by ${differences.float64} of what float64 allows`);
  assert.deepEqual(
    sampled.map((completion) => [...completion.tokens]),
    answers.greedy,
  );
  return differences;
}

function logitsOf(
  runtime: Runtime,
  weights: Parameters<typeof createPolicy>[0]['weights'],
  config: ModelConfig,
  { promptTokens, completionTokens }: Sequence,
): Float32Array {
  const { graph, model, hidden } = buildSequenceGraph(config);
  graph.output('logits', model.head(hidden));
  const T = promptTokens.length + completionTokens.length;
  const table = [T, config.head_dim / 2];
  const { cos, sin } = rotaryTables(config, T);
  const row = [...promptTokens, ...completionTokens].map(BigInt);
  const { logits } = runtime.createSession(serialize(graph)).run(
    {
      ...Object.fromEntries(weights),
      tokens: runtime.createTensor('int64', [1, T], row),
      position: runtime.createTensor('int64', [1]),
      cos: runtime.createTensor('float32', table, cos),
      sin: runtime.createTensor('float32', table, sin),
      causalMask: runtime.createTensor('float32', [T, T], causalMask(T)),
    },
    { logits: null },
  );
  return Float32Array.from(logits?.data ?? [], Number);
}

/** The largest share of the allowed difference: of the tensor's own norm, or of the norm of all, whichever is more. */
function gradientDifference(
  gradients: ReadonlyMap<string, Float32Array>,
  answers: PeerAnswers,
  dtype: string,
  allowed: { ofTensor: number; ofAll: number },
): number {
  const norms = [...gradients.keys()].map((name) => norm(tensorOf(answers, `${dtype}.${name}`)));
  const all = Math.hypot(...norms);
  const shares = [...gradients].map(([name, found]) => {
    const expected = tensorOf(answers, `${dtype}.${name}`);
    assert.equal(found.length, expected.length, name);
    const difference = norm(found.map((value, i) => value - (expected[i] ?? Number.NaN)));
    return difference / Math.max(allowed.ofTensor * norm(expected), allowed.ofAll * all);
  });
  return Math.max(...shares);
}

function tensorOf({ tensors }: PeerAnswers, name: string): Float32Array {
  const tensor = tensors.get(name);
  assert.ok(tensor, `transformers gave no ${name}`);
  return tensor.data;
}

function greatest(found: Float32Array, expected: Float32Array): number {
  assert.equal(found.length, expected.length);
  return found.reduce((most, value, i) => Math.max(most, Math.abs(value - (expected[i] ?? Number.NaN))), 0);
}

function norm(values: Float32Array): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
}

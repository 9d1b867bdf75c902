import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { uniformAt } from '../../../algorithm/random/seeds.ts';
import { createDecoder, type Decoder } from '../../../engine/decode/decoder.ts';
import { argmax, LogitsError, sampleToken } from '../../../engine/decode/sampler.ts';
import {
  type SampledCompletion,
  type SampleOptions,
  type SampleRequest,
  SamplingStoppedError,
} from '../../../engine/decode/sampling.ts';
import { serialize } from '../../../engine/graph/onnx.ts';
import type { ModelConfig } from '../../../engine/model/architecture.ts';
import { causalMask, rotaryTables } from '../../../engine/model/attention-inputs.ts';
import { buildSequenceGraph } from '../../../engine/model/full-attention.ts';
import { parseModelConfig } from '../../../engine/model/model-config.ts';
import { openRuntime } from '../../../engine/runtime/runtime.ts';
import type { Policy } from '../../../engine/train/policy.ts';
import { randomPolicy } from '../fixtures.ts';

const runtime = openRuntime({ threads: 2 });

/** Head size 16: attention rotates queries and keys itself. */
const config = parseModelConfig({
  model_type: 'llama',
  vocab_size: 23,
  hidden_size: 64,
  intermediate_size: 96,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  max_position_embeddings: 512,
  tie_word_embeddings: true,
});

/** Every other path: head size 24, untied, biases. */
const otherConfig: ModelConfig = {
  ...config,
  head_dim: 24,
  num_key_value_heads: 1,
  tie_word_embeddings: false,
  attention_bias: true,
};

const EOS = 3;
const options: SampleOptions = { temperature: 1, max_completion_length: 24, eosTokenIds: [EOS] };

/** Requests in groups of four that share a prompt; prompts differ in length. */
function requestsOf(count: number): SampleRequest[] {
  return Array.from({ length: count }, (_, i) => {
    const group = i >> 2;
    const promptTokens = Int32Array.from(
      { length: 1 + ((5 * group) % 9) },
      (_, t) => (3 * group + 7 * t) % 23,
    );
    return { promptTokens, seed: BigInt(1000 + i) };
  });
}

function policyOf(shape: ModelConfig): Policy {
  return randomPolicy({ runtime, config: shape, seed: 11 });
}

function withDecoder<T>(policy: Policy, shape: ModelConfig, work: (decoder: Decoder) => T, slots = 8): T {
  const decoder = createDecoder({ runtime, config: shape, weights: policy.weights, slots });
  try {
    return work(decoder);
  } finally {
    decoder.dispose();
  }
}

/** The largest difference between sampled log-probabilities and the training pass's. */
function disagreement(
  policy: Policy,
  requests: readonly SampleRequest[],
  completions: readonly SampledCompletion[],
  temperature: number,
): number {
  const sequences = requests.map(({ promptTokens }, i) => {
    return { promptTokens, completionTokens: completions[i]?.tokens ?? new Int32Array() };
  });
  const { logprobs } = policy.logprobs(sequences, { temperature, of: 'policy' });
  const differences = completions.flatMap(({ logprobs: sampled }, i) => {
    return Array.from(sampled, (logprob, t) => Math.abs(logprob - (logprobs[i]?.[t] ?? Number.NaN)));
  });
  return Math.max(...differences);
}

/** Logits [T][V] of one sequence by the training graph's forward pass. */
function forwardLogits(policy: Policy, shape: ModelConfig, tokens: readonly number[]): Float32Array[] {
  const { graph, model, hidden } = buildSequenceGraph(shape);
  graph.output('logits', model.head(hidden));
  const session = runtime.createSession(serialize(graph));
  const T = tokens.length;
  const { cos, sin } = rotaryTables(shape, T);
  const table = [T, shape.head_dim / 2];
  const { logits } = session.run(
    {
      ...Object.fromEntries(policy.weights),
      tokens: runtime.createTensor('int64', [1, T], tokens.map(BigInt)),
      position: runtime.createTensor('int64', [1]),
      cos: runtime.createTensor('float32', table, cos),
      sin: runtime.createTensor('float32', table, sin),
      causalMask: runtime.createTensor('float32', [T, T], causalMask(T)),
    },
    { logits: null },
  );
  const data = logits?.data as Float32Array;
  return tokens.map((_, t) => data.slice(t * shape.vocab_size, (t + 1) * shape.vocab_size));
}

function digest(completions: readonly SampledCompletion[]): string {
  const hash = createHash('sha256');
  for (const { tokens, logprobs, finish } of completions) {
    hash.update(new Uint8Array(tokens.buffer)).update(new Uint8Array(logprobs.buffer)).update(finish);
  }
  return hash.digest('hex');
}

for (const [name, shape] of Object.entries({
  'rotating in attention': config,
  'rotating apart': otherConfig,
})) {
  test(`log-probabilities agree with the training pass, ${name}`, () => {
    const policy = policyOf(shape);
    const requests = requestsOf(30);
    for (const temperature of [1, 0.6]) {
      const completions = withDecoder(policy, shape, (decoder) =>
        decoder.sample(requests, { ...options, temperature, top_p: 0.9 }),
      );
      assert.ok(disagreement(policy, requests, completions, temperature) < 1e-4);
    }
  });

  test(`greedy completions are the argmax of a full forward pass, ${name}`, () => {
    const policy = policyOf(shape);
    const requests = requestsOf(12);
    const completions = withDecoder(policy, shape, (decoder) =>
      decoder.sample(requests, { ...options, temperature: 0, eosTokenIds: [] }),
    );
    for (const [i, { promptTokens }] of requests.entries()) {
      const tokens = [...(completions[i]?.tokens ?? [])];
      const rows = forwardLogits(policy, shape, [...promptTokens, ...tokens]);
      const best = rows.slice(promptTokens.length - 1, -1).map(argmax);
      assert.deepEqual(tokens, best);
    }
  });
}

test('a sequence that outgrows the first cache continues correctly', () => {
  const policy = policyOf(config);
  const requests = requestsOf(6);
  const completions = withDecoder(policy, config, (decoder) =>
    decoder.sample(requests, { ...options, max_completion_length: 300, eosTokenIds: [] }),
  );
  assert.deepEqual(
    completions.map(({ tokens }) => tokens.length),
    new Array(6).fill(300),
  );
  assert.ok(disagreement(policy, requests, completions, 1) < 1e-4);
});

test('the same requests give the same bits: again, from a new decoder, and after its cache has grown', () => {
  const policy = policyOf(config);
  const requests = requestsOf(50);
  const first = withDecoder(policy, config, (decoder) => {
    const digests = [digest(decoder.sample(requests, options)), digest(decoder.sample(requests, options))];
    decoder.sample(requests.slice(0, 3), { ...options, max_completion_length: 400, eosTokenIds: [] });
    digests.push(digest(decoder.sample(requests, options)));
    assert.equal(new Set(digests).size, 1);
    return digests[0];
  });
  assert.equal(
    withDecoder(policy, config, (decoder) => digest(decoder.sample(requests, options))),
    first,
  );
});

const PRINT_DIGEST = 'DECODER_TEST_PRINTS_DIGEST';

test('a cache that is freed between calls changes no bit', () => {
  const policy = policyOf(config);
  const lists = [requestsOf(12), requestsOf(3), requestsOf(20)];
  const [kept, freed] = [false, true].map((freeBetweenCalls) => {
    const decoder = createDecoder({ runtime, config, weights: policy.weights, slots: 8, freeBetweenCalls });
    const found = lists.map((requests) =>
      decoder.sample(requests, { ...options, max_completion_length: 200 }),
    );
    decoder.dispose();
    return found;
  });
  assert.deepEqual(freed, kept);
  policy.dispose();
});

test('another process gives the same bits', () => {
  const policy = policyOf(config);
  const here = withDecoder(policy, config, (decoder) => digest(decoder.sample(requestsOf(50), options)));
  if (process.env[PRINT_DIGEST]) return console.log(`digest ${here}`);
  const child = spawnSync(
    process.execPath,
    ['--import', 'tsx', '--test-name-pattern', 'another process', fileURLToPath(import.meta.url)],
    { env: { ...process.env, [PRINT_DIGEST]: '1', NODE_TEST_CONTEXT: undefined }, encoding: 'utf8' },
  );
  assert.match(child.stdout, new RegExp(`digest ${here}`), child.stderr);
});

test('each draw is that of its seed and position', () => {
  const policy = policyOf(config);
  const requests = requestsOf(8);
  const completions = withDecoder(policy, config, (decoder) => decoder.sample(requests, options));
  for (const [i, { promptTokens, seed }] of requests.entries()) {
    const tokens = [...(completions[i]?.tokens ?? [])];
    const rows = forwardLogits(policy, config, [...promptTokens, ...tokens]).slice(
      promptTokens.length - 1,
      -1,
    );
    const drawn = rows.map((row, t) => sampleToken(row, uniformAt(seed, t), options).token);
    assert.deepEqual(tokens, drawn);
  }
});

test('a completion ends with its first end token, or is cut at the length limit', () => {
  const policy = policyOf(config);
  const completions = withDecoder(policy, config, (decoder) => decoder.sample(requestsOf(60), options));
  for (const { tokens, logprobs, finish } of completions) {
    assert.equal(logprobs.length, tokens.length);
    assert.equal(tokens.indexOf(EOS), finish === 'stop' ? tokens.length - 1 : -1);
    if (finish === 'length') assert.equal(tokens.length, options.max_completion_length);
  }
  assert.equal(new Set(completions.map(({ finish }) => finish)).size, 2);
});

test('one slot serves any number of requests, and an empty list is valid', () => {
  const policy = policyOf(config);
  const requests = requestsOf(9);
  const completions = withDecoder(policy, config, (decoder) => decoder.sample(requests, options), 1);
  assert.ok(disagreement(policy, requests, completions, 1) < 1e-4);
  assert.deepEqual(
    withDecoder(policy, config, (decoder) => decoder.sample([], options)),
    [],
  );
});

test('weights changed in place are those sampled from', () => {
  const policy = policyOf(config);
  withDecoder(policy, config, (decoder) => {
    const requests = requestsOf(4);
    const before = decoder.sample(requests, options);
    const embedding = policy.weights.get('model.embed_tokens.weight');
    assert.ok(embedding);
    for (let i = 0; i < embedding.data.length; i++) embedding.data[i] = (embedding.data[i] ?? 0) * 1.5;
    const after = decoder.sample(requests, options);
    assert.notEqual(digest(after), digest(before));
    assert.ok(disagreement(policy, requests, after, 1) < 1e-4);
  });
});

test('progress is reported after every step, and sampling stops on request', () => {
  const policy = policyOf(config);
  withDecoder(policy, config, (decoder) => {
    let steps = 0;
    const stopped = { ...options, onProgress: () => steps++, shouldStop: () => steps === 5 };
    assert.throws(() => decoder.sample(requestsOf(20), stopped), SamplingStoppedError);
    assert.equal(steps, 5);
    let last = { finished: 0, requests: 0, tokens: 0 };
    const completions = decoder.sample(requestsOf(20), {
      ...options,
      onProgress: (progress) => (last = progress),
    });
    const tokens = completions.reduce((sum, completion) => sum + completion.tokens.length, 0);
    assert.deepEqual(last, { finished: 20, requests: 20, tokens });
  });
});

test('a list with an invalid request is refused as a whole, by number', () => {
  const policy = policyOf(config);
  const request = (...tokens: number[]) => ({ promptTokens: Int32Array.from(tokens), seed: 1n });
  const long = { promptTokens: new Int32Array(489), seed: 1n };
  withDecoder(policy, config, (decoder) => {
    const refused = (requests: SampleRequest[], message: RegExp, change: Partial<SampleOptions> = {}) =>
      assert.throws(() => decoder.sample(requests, { ...options, ...change }), message);
    refused([request(1), long], /Request 1: a prompt of 489 tokens .* 24 exceed .* 512\. Shorten/);
    refused([request(1, 23)], /Request 0: its prompt has token 23; expected 0 … 22/);
    refused([request()], /Request 0: its prompt is empty/);
    refused([request(1)], /eosTokenIds/, { eosTokenIds: [99] });
    refused([request(1)], /max_completion_length/, { max_completion_length: 0 });
    refused([request(1)], /top_p/, { top_p: 2 });
    refused([{ ...request(1), seed: -1n }], /seed/);
  });
});

test('diverged weights are an error that names request and token', () => {
  const policy = policyOf(config);
  policy.weights.get('model.norm.weight')?.data.fill(Number.NaN);
  withDecoder(policy, config, (decoder) => {
    assert.throws(
      () => decoder.sample(requestsOf(4), options),
      (error) => error instanceof LogitsError && /^Request 0, token 0: /.test(error.message),
    );
  });
});

/**
 * Tokens per second of decoding, nano model, batch 128: full batches of equal lengths (about 100 tokens of
 * context), and the ragged lengths of real sampling, where sequences leave and enter. Best of several.
 */
import { createDecoder, type Decoder } from '../../engine/decoder.ts';
import { expectedTensors, parseModelConfig } from '../../engine/model-config.ts';
import { openRuntime } from '../../engine/runtime.ts';
import { elementCount } from '../../engine/tensor.ts';

const VOCAB = 60;
const PROMPT_TOKENS = 20;
const REPEATS = 5;
/** As the nano base has them. */
const KEY_VALUE_HEADS = 2;

function nano(keyValueHeads: number) {
  return parseModelConfig({
    model_type: 'llama',
    vocab_size: VOCAB,
    hidden_size: 128,
    intermediate_size: 352,
    num_hidden_layers: 4,
    num_attention_heads: 4,
    num_key_value_heads: keyValueHeads,
    max_position_embeddings: 512,
    tie_word_embeddings: true,
  });
}

/** Deterministic small weights; norms scale by 1. */
function decoderOf(threads: number, keyValueHeads: number): Decoder {
  const runtime = openRuntime({ threads });
  const config = nano(keyValueHeads);
  const weights = new Map(
    [...expectedTensors(config)].map(([name, shape]) => {
      const data = Float32Array.from({ length: elementCount(shape) }, (_, i) => {
        return name.includes('norm') ? 1 : 0.05 * Math.sin(i * 12.9898);
      });
      return [name, runtime.createTensor('float32', shape, data)];
    }),
  );
  return createDecoder({ runtime, config, weights });
}

interface Case {
  name: string;
  requests: number;
  max_completion_length: number;
  eosTokenIds: number[];
}

const cases: Case[] = [
  { name: '128 × 160 tokens', requests: 128, max_completion_length: 160, eosTokenIds: [] },
  { name: '256 ragged, up to 200', requests: 256, max_completion_length: 200, eosTokenIds: [0] },
];

/** Best tokens/s of several runs. */
function measure(decoder: Decoder, { requests, max_completion_length, eosTokenIds }: Case): number {
  const list = Array.from({ length: requests }, (_, i) => ({
    // 16 completions share a prompt.
    promptTokens: Int32Array.from({ length: PROMPT_TOKENS }, (_, t) => (7 * t + (i >> 4)) % VOCAB),
    seed: BigInt(i),
  }));
  const speeds = Array.from({ length: REPEATS }, () => {
    const start = performance.now();
    const completions = decoder.sample(list, { temperature: 1, max_completion_length, eosTokenIds });
    const tokens = completions.reduce((sum, completion) => sum + completion.tokens.length, 0);
    return (1000 * tokens) / (performance.now() - start);
  });
  return Math.max(...speeds);
}

export interface DecodeFigure {
  name: string;
  tokensPerSecond: number;
}

export function decodeFigures(threads: number): DecodeFigure[] {
  const decoder = decoderOf(threads, KEY_VALUE_HEADS);
  const figures = cases.map((each) => ({ name: each.name, tokensPerSecond: measure(decoder, each) }));
  decoder.dispose();
  return figures;
}

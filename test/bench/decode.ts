/**
 * Tokens per second of decoding, nano model, batch 128: full batches of equal lengths (about 100 tokens of
 * context), and the ragged lengths of real sampling, where sequences end and others start. Best of several runs.
 */
import { createDecoder, type Decoder } from '../../engine/decode/decoder.ts';
import { elementCount } from '../../engine/graph/tensor.ts';
import { expectedTensors, type ModelConfig } from '../../engine/model/architecture.ts';
import { openRuntime } from '../../engine/runtime/runtime.ts';

/** The full batch, which the peer decodes too. */
export const DECODED = { sequences: 128, prompt: 20, completion: 160 };
const REPEATS = 5;

/** Deterministic small weights; norms scale by 1. */
function decoderOf(config: ModelConfig, threads: number): Decoder {
  const runtime = openRuntime({ threads });
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
  {
    name: `${DECODED.sequences} × ${DECODED.completion} tokens`,
    requests: DECODED.sequences,
    max_completion_length: DECODED.completion,
    eosTokenIds: [],
  },
  { name: '256 ragged, up to 200', requests: 256, max_completion_length: 200, eosTokenIds: [0] },
];

/** Best tokens/s of several runs. */
function measure(
  decoder: Decoder,
  vocabulary: number,
  { requests, max_completion_length, eosTokenIds }: Case,
): number {
  const list = Array.from({ length: requests }, (_, i) => ({
    // 16 completions share a prompt.
    promptTokens: Int32Array.from({ length: DECODED.prompt }, (_, t) => (7 * t + (i >> 4)) % vocabulary),
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

export function decodeFigures(config: ModelConfig, threads: number): DecodeFigure[] {
  const decoder = decoderOf(config, threads);
  const figures = cases.map((each) => ({
    name: each.name,
    tokensPerSecond: measure(decoder, config.vocab_size, each),
  }));
  decoder.dispose();
  return figures;
}

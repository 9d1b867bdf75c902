/** A policy of a few thousand weights with the nano tokenizer, in memory. */
import { importBase } from '../../activities/checkpoints/import-base.ts';
import { nanoTokenizerConfigJson, nanoTokenizerJson } from '../../algorithm/nano/tokenizer.ts';
import type { Tensor } from '../../contracts/format/dtypes.ts';
import { encodeSafetensors as encodeTensors } from '../../contracts/format/safetensors.ts';
import type { CommittedCheckpoint } from '../../contracts/stage-state.ts';
import { initialWeights } from '../../engine/model/initial-weights.ts';
import { formatModelConfig } from '../../engine/model/model-config.ts';
import { nanoModelConfig } from '../../engine/model/nano-base.ts';
import { openRuntime } from '../../engine/runtime/runtime.ts';
import { PolicyService } from '../../engine/service/policy-service.ts';
import type { EngineThread } from '../../engine/service/thread.ts';
import { digestTensors } from '../../engine/weights/digest.ts';
import { encodeSafetensors } from '../../engine/weights/safetensors.ts';
import type { ObjectStore } from '../../stores/objects/objects.ts';

export const tinyConfig = nanoModelConfig({
  num_hidden_layers: 1,
  hidden_size: 16,
  intermediate_size: 16,
  num_attention_heads: 2,
  num_key_value_heads: 1,
  head_dim: 8,
  max_position_embeddings: 64,
  rms_norm_eps: 1e-5,
  rope_theta: 10_000,
  tie_word_embeddings: false,
  initializer_range: 0.2,
});

export function importTinyPolicy(objects: ObjectStore): Promise<CommittedCheckpoint> {
  const weights = initialWeights(tinyConfig, 1n);
  const bytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
  const files = new Map<string, Uint8Array>([
    ['config.json', new TextEncoder().encode(formatModelConfig(tinyConfig))],
    ['generation_config.json', bytes({ temperature: 0.6 })],
    ['tokenizer.json', bytes(nanoTokenizerJson())],
    ['tokenizer_config.json', bytes(nanoTokenizerConfigJson(tinyConfig.max_position_embeddings))],
    ['model.safetensors', encodeSafetensors(weights)],
  ]);
  return importBase({ objects }, { digest: digestTensors(weights), files });
}

/** The upper halves of float32 numbers, as numbers of bfloat16. */
const brains = (data: Float32Array) =>
  Uint16Array.from(new Uint32Array(data.buffer, data.byteOffset, data.length), (bits) => bits >>> 16);

/** The tiny policy as models are published: in bfloat16, in two files. */
export const publishedTensors = () =>
  new Map(
    [...initialWeights(tinyConfig, 1n)].map(([name, { shape, data }]): [string, Tensor<'BF16'>] => [
      name,
      { dtype: 'BF16', shape, data: brains(data) },
    ]),
  );

export const PUBLISHED_FILES = [
  'model-00001-of-00002.safetensors',
  'model-00002-of-00002.safetensors',
] as const;

/** The tensors of a file. */
export const publishedHalf = (file: 0 | 1): Map<string, Tensor> =>
  new Map([...publishedTensors()].slice(6 * file, file === 0 ? 6 : undefined));

export const publishedMap = () =>
  Object.fromEntries(
    ([0, 1] as const).flatMap((file) =>
      [...publishedHalf(file).keys()].map((name) => [name, PUBLISHED_FILES[file]]),
    ),
  );

/** The files of its folder, by name. */
export function publishedFiles(): Map<string, Uint8Array> {
  const config = { ...JSON.parse(formatModelConfig(tinyConfig)), torch_dtype: 'bfloat16', dtype: 'bfloat16' };
  const bytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
  return new Map([
    ['config.json', bytes(config)],
    ['tokenizer.json', bytes(nanoTokenizerJson())],
    ['tokenizer_config.json', bytes(nanoTokenizerConfigJson(tinyConfig.max_position_embeddings))],
    [PUBLISHED_FILES[0], encodeTensors(publishedHalf(0), { format: 'pt' })],
    [PUBLISHED_FILES[1], encodeTensors(publishedHalf(1), { format: 'pt' })],
    ['model.safetensors.index.json', bytes({ metadata: {}, weight_map: publishedMap() })],
  ]);
}

export const importPublishedPolicy = (objects: ObjectStore): Promise<CommittedCheckpoint> =>
  importBase({ objects }, { digest: digestTensors(publishedTensors()), files: publishedFiles() });

/** An engine on the caller's own thread, and the names of the calls that it was asked for. */
export function engineHere(): { engine: EngineThread; calls: string[] } {
  const service = new PolicyService(openRuntime({ threads: 1, spinning: false }));
  const calls: string[] = [];
  const call: EngineThread['call'] = async (name, ...args) => {
    calls.push(name);
    const called = service[name].bind(service) as (...given: unknown[]) => never;
    return called(...args);
  };
  const engine: EngineThread = {
    call,
    callMoving: call,
    progress: () => ({ phase: 'loading', done: 0, of: 0, tokens: 0 }),
    stopSampling: () => {},
    holdSampling: () => {},
    ended: new Promise(() => {}),
    close: async () => {},
  };
  return { engine, calls };
}

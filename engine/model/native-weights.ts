/** Weights and moments from a checkpoint's files into native memory, and moments back under their names. */

import { disposeAll, type TensorMap } from '../graph/tensor.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { decodeSafetensors, type StoredTensors } from '../weights/safetensors.ts';
import { checkWeights } from '../weights/weights.ts';
import type { ModelConfig } from './architecture.ts';
import type { Moments } from './parameters.ts';

const MOMENT_PREFIXES = { expAvg: 'exp_avg.', expAvgSq: 'exp_avg_sq.' } as const;

/** The tensors of a safetensors file, proved to be the configuration's. Throws WeightsError; `source` names the file. */
export function nativeWeights(
  runtime: Runtime,
  config: ModelConfig,
  file: Uint8Array,
  source: string,
): TensorMap {
  return native(runtime, checkWeights(decodeSafetensors(file, source), config, source));
}

/** The same of both moments. */
export function nativeMoments(runtime: Runtime, config: ModelConfig, file: Uint8Array): Moments {
  const stored = decodeSafetensors(file, 'the moments');
  const part = (prefix: string) => {
    const tensors = [...stored].filter(([name]) => name.startsWith(prefix));
    const unprefixed = new Map(tensors.map(([name, tensor]) => [name.slice(prefix.length), tensor]));
    return native(runtime, checkWeights(unprefixed, config, `the moments ${prefix}*`));
  };
  const expAvg = part(MOMENT_PREFIXES.expAvg);
  try {
    return { expAvg, expAvgSq: part(MOMENT_PREFIXES.expAvgSq) };
  } catch (error) {
    disposeAll(expAvg);
    throw error;
  }
}

function native(runtime: Runtime, stored: StoredTensors): TensorMap {
  return new Map(
    [...stored].map(([name, { shape, data }]) => [name, runtime.createTensor('float32', shape, data)]),
  );
}

/** Both moments under one roof, as a checkpoint stores them: `exp_avg.NAME` and `exp_avg_sq.NAME`. */
export function momentTensors({ expAvg, expAvgSq }: Moments): TensorMap {
  const named = (prefix: string, tensors: TensorMap) =>
    [...tensors].map(([name, tensor]) => [`${prefix}${name}`, tensor] as const);
  return new Map([...named(MOMENT_PREFIXES.expAvg, expAvg), ...named(MOMENT_PREFIXES.expAvgSq, expAvgSq)]);
}

/** Weights from safetensors files into native memory, a file at a time and in pieces, widened to float32. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { Tensor as StoredTensor } from '../../contracts/format/dtypes.ts';
import {
  LENGTH_BYTES,
  parseHeader,
  readDataOffset,
  type SafetensorsHeader,
  type TensorEntry,
} from '../../contracts/format/safetensors.ts';
import { disposeAll, type FloatTensor, type TensorMap } from '../graph/tensor.ts';
import type { Runtime } from '../runtime/runtime.ts';
import {
  orWeightsError,
  WEIGHT_DTYPES,
  type WeightDtype,
  WeightsError,
  WIDEN,
} from '../weights/safetensors.ts';
import {
  checkStored,
  digestOfSummaries,
  joinSummaries,
  piecesOf,
  type StoredTensorSummaries,
  TensorReader,
} from '../weights/stored-tensors.ts';
import { refuseOtherShape } from '../weights/weights.ts';
import { expectedTensors, type ModelConfig } from './architecture.ts';

/** A safetensors file: its path, or its bytes. */
export type WeightsInput = string | Uint8Array;

interface LoadedWeights {
  weights: TensorMap;
  /** over the stored dtypes of all tensors that the files have (rule 11) */
  storedDigest: string;
  /** whether the weights in memory are all that the files have, in their dtype */
  isExact: boolean;
}

export class WeightsLoader {
  private readonly runtime: Runtime;
  private readonly config: ModelConfig;
  private readonly source: string;
  private readonly onTensor: () => void;
  private readonly weights = new Map<string, FloatTensor>();
  private readonly summaries: StoredTensorSummaries[] = [];

  /** `source` names the weights in errors. */
  constructor(runtime: Runtime, config: ModelConfig, source: string, onTensor: () => void = () => undefined) {
    this.runtime = runtime;
    this.config = config;
    this.source = source;
    this.onTensor = onTensor;
  }

  /** Reads one file. Throws WeightsError; then the loader is empty. */
  read(input: WeightsInput): void {
    try {
      withBytes(input, this.source, (file) => this.readFile(file));
    } catch (error) {
      this.dispose();
      throw error;
    }
  }

  /** The weights, in the order of the forward pass; they are the caller's. Throws WeightsError. */
  finish(): LoadedWeights {
    try {
      const stored = joinSummaries(this.summaries);
      checkStored(stored, this.config, this.source);
      const names = [...expectedTensors(this.config).keys()];
      const weights = new Map(
        names.flatMap((name) => {
          const tensor = this.weights.get(name);
          return tensor === undefined ? [] : [[name, tensor] as const];
        }),
      );
      const isExact =
        stored.size === weights.size && [...stored.values()].every(({ dtype }) => dtype === 'F32');
      return { weights, storedDigest: digestOfSummaries(stored), isExact };
    } catch (error) {
      this.dispose();
      throw error;
    }
  }

  dispose(): void {
    disposeAll(this.weights);
    this.weights.clear();
    this.summaries.length = 0;
  }

  private readFile(file: FileBytes): void {
    const { entries, dataOffset } = headerOf(file, this.source);
    const expected = expectedTensors(this.config);
    const summaries: StoredTensorSummaries = new Map();
    for (const entry of entries) {
      const shape = expected.get(entry.name);
      if (shape !== undefined) refuseOtherShape(entry.name, shape, entry.shape, this.source);
      const reader = new TensorReader(entry, this.source);
      const into = shape === undefined ? undefined : this.create(entry);
      readPieces(file, entry, dataOffset, reader, into);
      summaries.set(entry.name, reader.end());
      if (shape !== undefined) this.onTensor();
    }
    this.summaries.push(summaries);
  }

  private create({ name, shape }: TensorEntry): FloatTensor {
    if (this.weights.has(name))
      throw new WeightsError(`${this.source}: tensor ${name} is in two files. Fetch the checkpoint again.`);
    const tensor = this.runtime.createTensor('float32', shape);
    this.weights.set(name, tensor);
    return tensor;
  }
}

/** The tensors of one safetensors file. Throws WeightsError; `source` names the file. */
export function nativeWeights(
  runtime: Runtime,
  config: ModelConfig,
  file: WeightsInput,
  source: string,
  onTensor?: () => void,
): LoadedWeights {
  const loader = new WeightsLoader(runtime, config, source, onTensor);
  loader.read(file);
  return loader.finish();
}

/** All tensors of one safetensors file, as float32. Throws WeightsError; `source` names the file. */
export function nativeTensors(
  runtime: Runtime,
  input: WeightsInput,
  source: string,
  onTensor: () => void = () => undefined,
): TensorMap {
  const tensors = new Map<string, FloatTensor>();
  try {
    withBytes(input, source, (file) => {
      const { entries, dataOffset } = headerOf(file, source);
      for (const entry of entries) {
        const tensor = runtime.createTensor('float32', entry.shape);
        tensors.set(entry.name, tensor);
        readPieces(file, entry, dataOffset, new TensorReader(entry, source), tensor);
        onTensor();
      }
    });
  } catch (error) {
    disposeAll(tensors);
    throw error;
  }
  return tensors;
}

function headerOf(file: FileBytes, source: string): SafetensorsHeader<WeightDtype> {
  return orWeightsError(() => {
    const offset = readDataOffset(file.read(0, LENGTH_BYTES), file.bytes, source);
    return parseHeader(file.read(0, offset), file.bytes, source, WEIGHT_DTYPES);
  });
}

function readPieces(
  file: FileBytes,
  entry: TensorEntry<WeightDtype>,
  dataOffset: number,
  reader: TensorReader,
  into: FloatTensor | undefined,
): void {
  let at = 0;
  for (const { offset, length } of piecesOf(entry, dataOffset)) {
    const data = reader.read(file.read(offset, length));
    into?.data.set(widened(entry.dtype, data), at);
    at += data.length;
  }
}

const widened = (dtype: WeightDtype, data: StoredTensor['data']): Float32Array =>
  dtype === 'F32' ? (data as Float32Array) : WIDEN[dtype](data as Uint16Array & Float32Array);

/** A file that is read within one thread, without a turn of the event loop. */
interface FileBytes {
  bytes: number;
  /** valid until the next read */
  read(offset: number, length: number): Uint8Array;
}

/** Runs `work` with a file's bytes. Throws WeightsError where a file becomes shorter. */
function withBytes<Result>(input: WeightsInput, source: string, work: (file: FileBytes) => Result): Result {
  if (typeof input !== 'string')
    return work({
      bytes: input.length,
      read: (offset, length) => input.subarray(offset, Math.min(input.length, offset + length)),
    });
  const descriptor = openSync(input, 'r');
  try {
    let buffer = new Uint8Array();
    const { size } = fstatSync(descriptor);
    return work({
      bytes: size,
      read(offset, length) {
        const wanted = Math.min(length, size - offset);
        if (buffer.length < wanted) buffer = new Uint8Array(wanted);
        for (let done = 0; done < wanted; ) {
          const count = readSync(descriptor, buffer, done, wanted - done, offset + done);
          if (count === 0) throw new WeightsError(`${source} became shorter while it was read. Try again.`);
          done += count;
        }
        return buffer.subarray(0, wanted);
      },
    });
  } finally {
    closeSync(descriptor);
  }
}

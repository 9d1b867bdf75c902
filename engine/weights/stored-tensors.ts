/**
 * Tensors in safetensors files, read in pieces: what a model's files hold, checked and digested, without a file or a
 * tensor ever being in memory whole.
 */
import { createHash, type Hash } from 'node:crypto';
import { type Dtype, decodeTensor, ELEMENTS, type Tensor } from '../../contracts/format/dtypes.ts';
import type { TensorEntry } from '../../contracts/format/safetensors.ts';
import { type ModelConfig, WEIGHT } from '../model/architecture.ts';
import { lineOf } from './digest.ts';
import { type ByteSource, readHeader, WeightsError } from './safetensors.ts';
import { refuseOtherTensors } from './weights.ts';

/** A stored tensor without its bytes. */
export interface StoredTensorSummary {
  dtype: Dtype;
  shape: readonly number[];
  /** of its bytes, in hex */
  sha256: string;
  /** the file that has it */
  file: string;
}
export type StoredTensorSummaries = Map<string, StoredTensorSummary>;

/** Bytes that are read at once: a whole number of elements of every dtype. */
const PIECE_BYTES = 8 * 2 ** 20;

/** The pieces of a tensor, as offsets within its file. */
export function* piecesOf({ begin, end }: TensorEntry, dataOffset: number) {
  for (let at = begin; at < end; at += PIECE_BYTES)
    yield { offset: dataOffset + at, length: Math.min(PIECE_BYTES, end - at) };
}

/**
 * Reads a file once from its start to its end: the SHA-256 of each tensor and of the whole. Throws WeightsError where the
 * file is not whole, or a number is not finite.
 */
export async function summariseFile(
  source: ByteSource,
  dtypes: readonly Dtype[],
): Promise<{ sha256: string; tensors: StoredTensorSummaries }> {
  const { entries, dataOffset } = await readHeader(source, dtypes);
  const whole = createHash('sha256');
  whole.update(await source.read(0, dataOffset));
  const tensors: StoredTensorSummaries = new Map();
  for (const entry of entries) {
    const summary = new TensorReader(entry, source.name);
    for (const { offset, length } of piecesOf(entry, dataOffset)) {
      const bytes = await source.read(offset, length);
      whole.update(bytes);
      summary.read(bytes);
    }
    tensors.set(entry.name, summary.end());
  }
  return { sha256: whole.digest('hex'), tensors };
}

/** What a file's header says, without the hashes, which are empty. Throws WeightsError. */
export async function headerSummaries(
  source: ByteSource,
  dtypes: readonly Dtype[],
): Promise<StoredTensorSummaries> {
  const { entries } = await readHeader(source, dtypes);
  return new Map(
    entries.map(({ name, dtype, shape }) => [name, { dtype, shape, sha256: '', file: source.name }]),
  );
}

/** Hashes and checks the pieces of one tensor as they pass. */
export class TensorReader {
  private readonly hash: Hash = createHash('sha256');
  private readonly entry: TensorEntry;
  private readonly file: string;
  private elements = 0;

  constructor(entry: TensorEntry, file: string) {
    this.entry = entry;
    this.file = file;
  }

  /** The piece's elements. Throws WeightsError where one is not finite. */
  read(bytes: Uint8Array): Tensor['data'] {
    this.hash.update(bytes);
    const { dtype, name } = this.entry;
    const { data } = decodeTensor(dtype, [bytes.length / ELEMENTS[dtype].bytes], bytes);
    const index = NOT_FINITE[dtype](data as never);
    if (index >= 0) {
      throw new WeightsError(
        `${this.file}: expected finite numbers in tensor ${name}, found ${textOf(dtype, data, index)} at element ` +
          `${this.elements + index}. Fetch or copy the file again, or use another checkpoint.`,
      );
    }
    this.elements += data.length;
    return data;
  }

  end(): StoredTensorSummary {
    const { dtype, shape } = this.entry;
    return { dtype, shape, sha256: this.hash.digest('hex'), file: this.file };
  }
}

const never = () => -1;
/** The index of the first element that is NaN or infinite, or -1. */
const NOT_FINITE: { [D in Dtype]: (data: Tensor<D>['data']) => number } = {
  F64: firstNotFinite,
  F32: firstNotFinite,
  BF16: (bits) => firstWithBits(bits, 0x7f80),
  F16: (bits) => firstWithBits(bits, 0x7c00),
  I64: never,
  I32: never,
  U8: never,
};

function firstNotFinite(data: Float32Array | Float64Array): number {
  for (let i = 0; i < data.length; i++) if (!Number.isFinite(data[i])) return i;
  return -1;
}

/** `exponent`: the bits of the exponent, all 1 in NaN and infinity alone. */
function firstWithBits(bits: Uint16Array, exponent: number): number {
  for (let i = 0; i < bits.length; i++) if (((bits[i] ?? 0) & exponent) === exponent) return i;
  return -1;
}

/** The fraction's bits of a 16-bit float. */
const FRACTION = { BF16: 0x7f, F16: 0x3ff } as const;

function textOf(dtype: Dtype, data: Tensor['data'], index: number): string {
  const value = Number(data[index]);
  if (dtype !== 'BF16' && dtype !== 'F16') return String(value);
  if (value & FRACTION[dtype]) return 'NaN';
  return value & 0x8000 ? '-Infinity' : 'Infinity';
}

/** The digest over stored dtypes (rule 11), whatever the files. */
export function digestOfSummaries(tensors: StoredTensorSummaries): string {
  const hash = createHash('sha256');
  for (const [name, { dtype, shape, sha256 }] of [...tensors].sort(([a], [b]) => (a < b ? -1 : 1)))
    hash.update(lineOf(name, shape, sha256, dtype));
  return hash.digest('hex');
}

/** The tensors of several files together. Throws WeightsError where two files have one tensor. */
export function joinSummaries(files: readonly StoredTensorSummaries[]): StoredTensorSummaries {
  const joined: StoredTensorSummaries = new Map();
  for (const [name, summary] of files.flatMap((file) => [...file])) {
    const other = joined.get(name);
    if (other !== undefined) {
      throw new WeightsError(
        `${summary.file} has tensor ${name}, which ${other.file} has as well. Fetch the checkpoint again.`,
      );
    }
    joined.set(name, summary);
  }
  return joined;
}

/**
 * Checks that the tensors are those that the configuration demands. Accepted besides: the rotary buffers of old
 * checkpoints, and an output projection beside a tied embedding with the same bytes. Throws WeightsError.
 */
export function checkStored(tensors: StoredTensorSummaries, config: ModelConfig, source: string): void {
  refuseOtherTensors(tensors, config, source, () => {
    const [head, embedding] = [tensors.get(WEIGHT.outputProjection), tensors.get(WEIGHT.embedding)];
    return head?.sha256 === embedding?.sha256 && head?.dtype === embedding?.dtype;
  });
}

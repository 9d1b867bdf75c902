/** Weights of one file in another dtype, as the file's bytes pass. */
import { ELEMENTS, elementsOf, littleEndianBytes, type Tensor } from '../../contracts/format/dtypes.ts';
import {
  headerBytes,
  LENGTH_BYTES,
  parseHeader,
  readDataOffset,
  type TensorEntry,
} from '../../contracts/format/safetensors.ts';
import { orWeightsError, WEIGHT_DTYPES, type WeightDtype, WIDEN } from './safetensors.ts';
import { piecesOf, TensorReader } from './stored-tensors.ts';

/** The dtypes that weights are converted to. */
export type ConvertedDtype = 'F32' | 'BF16';

/**
 * The bytes of the same file with all tensors in `dtype`. float32 holds every bfloat16 and float16 exactly; bfloat16 takes
 * the nearest, and of two equally near ones the even. Throws WeightsError.
 */
export async function* convertedFile(
  pieces: AsyncIterable<Uint8Array>,
  { name, bytes }: { name: string; bytes: number },
  dtype: ConvertedDtype,
): AsyncGenerator<Uint8Array> {
  const reader = new PieceReader(pieces);
  const length = await reader.take(Math.min(LENGTH_BYTES, bytes));
  const dataOffset = orWeightsError(() => readDataOffset(length, bytes, name));
  const header = Buffer.concat([length, await reader.take(dataOffset - LENGTH_BYTES)]);
  const { entries, metadata } = orWeightsError(() => parseHeader(header, bytes, name, WEIGHT_DTYPES));
  yield headerBytes(laidOut(entries, dtype), metadata);
  for (const entry of entries) {
    const checked = new TensorReader(entry, name);
    for (const piece of piecesOf(entry, dataOffset))
      yield converted(entry.dtype, checked.read(await reader.take(piece.length)), dtype);
  }
  await reader.end();
}

function laidOut(entries: readonly TensorEntry[], dtype: ConvertedDtype): TensorEntry[] {
  let begin = 0;
  return entries.map(({ name, shape }) => {
    const entry = { name, dtype, shape, begin, end: begin + elementsOf(shape) * ELEMENTS[dtype].bytes };
    begin = entry.end;
    return entry;
  });
}

function converted(from: WeightDtype, data: Tensor['data'], to: ConvertedDtype): Uint8Array {
  if (from === to) return littleEndianBytes(data).slice();
  const wide = WIDEN[from](data as Uint16Array & Float32Array);
  return littleEndianBytes(to === 'F32' ? wide : narrowed(wide));
}

/** bfloat16 is the upper half of a float32, rounded to nearest, ties to even. */
export function narrowed(wide: Float32Array): Uint16Array {
  const bits = new Uint32Array(wide.buffer, wide.byteOffset, wide.length);
  const out = new Uint16Array(wide.length);
  for (let i = 0; i < out.length; i++) {
    const each = bits[i] ?? 0;
    out[i] = (each + 0x7fff + ((each >>> 16) & 1)) >>> 16;
  }
  return out;
}

/** Cuts pieces of any length into those that are asked for. */
class PieceReader {
  private readonly pieces: AsyncIterator<Uint8Array>;
  private rest: Uint8Array = new Uint8Array();

  constructor(pieces: AsyncIterable<Uint8Array>) {
    this.pieces = pieces[Symbol.asyncIterator]();
  }

  /** The next bytes; fewer where the pieces end before. */
  async take(length: number): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    for (let missing = length; missing > 0; ) {
      if (this.rest.length === 0) {
        const next = await this.pieces.next();
        if (next.done) break;
        this.rest = next.value;
      }
      const part = this.rest.subarray(0, missing);
      parts.push(part);
      missing -= part.length;
      this.rest = this.rest.subarray(part.length);
    }
    const [first] = parts;
    return parts.length === 1 && first !== undefined ? first : Buffer.concat(parts);
  }

  /** Reads to the end, where the source may find that the bytes were damaged. */
  async end(): Promise<void> {
    while (!(await this.pieces.next()).done);
  }
}

/**
 * The tensor types of GGUF files that are made into float32. Quantised ones store blocks of 32 numbers: `d` is the
 * block's scale, `m` its minimum, both 16-bit floats; formulas as in ggml's `dequantize_row_*`, in float32.
 */
import { halfToNumber } from '../../../../engine/weights/safetensors.ts';

interface BlockFormat {
  elements: number;
  bytes: number;
  /** Writes the elements of one block. */
  read(view: DataView, at: number, out: Float32Array, to: number): void;
}

const { fround } = Math;

const BLOCKS = {
  F32: {
    elements: 1,
    bytes: 4,
    read: (view, at, out, to) => {
      out[to] = view.getFloat32(at, true);
    },
  },
  F16: {
    elements: 1,
    bytes: 2,
    read: (view, at, out, to) => {
      out[to] = half(view, at);
    },
  },
  BF16: {
    elements: 1,
    bytes: 2,
    read: (view, at, out, to) => {
      // A bfloat16 is the upper half of a float32.
      word[0] = view.getUint16(at, true) << 16;
      out[to] = wordAsFloat[0] ?? 0;
    },
  },
  // x = d · q, q in [-128, 127]
  Q8_0: {
    elements: 32,
    bytes: 34,
    read: (view, at, out, to) => {
      const d = half(view, at);
      for (let i = 0; i < 32; i++) out[to + i] = fround(d * view.getInt8(at + 2 + i));
    },
  },
  // x = d · (q − 8), q in [0, 15]; the low halves of the 16 bytes come first
  Q4_0: {
    elements: 32,
    bytes: 18,
    read: (view, at, out, to) => {
      const d = half(view, at);
      for (let i = 0; i < 16; i++) {
        const pair = view.getUint8(at + 2 + i);
        out[to + i] = fround(d * ((pair & 15) - 8));
        out[to + 16 + i] = fround(d * ((pair >> 4) - 8));
      }
    },
  },
  // x = d · q + m
  Q4_1: {
    elements: 32,
    bytes: 20,
    read: (view, at, out, to) => {
      const d = half(view, at);
      const m = half(view, at + 2);
      for (let i = 0; i < 16; i++) {
        const pair = view.getUint8(at + 4 + i);
        out[to + i] = fround(fround(d * (pair & 15)) + m);
        out[to + 16 + i] = fround(fround(d * (pair >> 4)) + m);
      }
    },
  },
} as const satisfies Record<string, BlockFormat>;

export type BlockType = keyof typeof BLOCKS;

export const BLOCK_TYPES = Object.keys(BLOCKS) as BlockType[];

export const blockSize = (type: BlockType): Pick<BlockFormat, 'elements' | 'bytes'> => BLOCKS[type];

/** The elements of whole blocks. */
export function dequantise(type: BlockType, bytes: Uint8Array): Float32Array {
  const format: BlockFormat = BLOCKS[type];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const blocks = bytes.length / format.bytes;
  const out = new Float32Array(blocks * format.elements);
  for (let block = 0; block < blocks; block++)
    format.read(view, block * format.bytes, out, block * format.elements);
  return out;
}

const word = new Uint32Array(1);
const wordAsFloat = new Float32Array(word.buffer);

const half = (view: DataView, at: number) => halfToNumber(view.getUint16(at, true));

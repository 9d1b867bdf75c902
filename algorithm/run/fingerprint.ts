/**
 * Fingerprints of weights: sums modulo 2^64, so that parts of a tensor can be summed in any order and on any rank. It
 * finds a flipped bit, a swapped element and a swapped tensor; unlike a digest it is no defence against intent.
 *
 *     mix64(z)           the finaliser of splitmix64
 *     sum of a tensor    Σ_i mix64(mix64(i + 0x9e3779b97f4a7c15) xor bits_i)   i: row-major index in the whole tensor
 *     fingerprint        Σ over tensors of mix64(h xor sum of the tensor)      h: first 8 bytes of SHA-256(name), little-endian
 *
 * `bits_i` are the element's bits as an unsigned integer: 16 for BF16 and F16, 32 for F32. This is the reference, in
 * exact integers; `contracts/vectors/fingerprints.json` has test vectors.
 */
import { createHash } from 'node:crypto';
import type { Tensor } from '../../contracts/format/dtypes.ts';

const MASK = 0xffff_ffff_ffff_ffffn;
const GOLDEN = 0x9e37_79b9_7f4a_7c15n;

/** The finaliser of splitmix64: a bijection of 64-bit integers. */
export function mix64(value: bigint): bigint {
  const first = ((value ^ (value >> 30n)) * 0xbf58_476d_1ce4_e5b9n) & MASK;
  const second = ((first ^ (first >> 27n)) * 0x94d0_49bb_1331_11ebn) & MASK;
  return second ^ (second >> 31n);
}

/** The sum over elements, each with its row-major index in the whole tensor; sums of disjoint parts add up. */
export function elementsSum(elements: Iterable<readonly [index: bigint, bits: bigint]>): bigint {
  let sum = 0n;
  for (const [index, bits] of elements) sum += mix64(mix64((index + GOLDEN) & MASK) ^ bits);
  return sum & MASK;
}

/** The sum of a whole tensor. */
export function tensorSum(tensor: Tensor<'F32' | 'BF16' | 'F16'>): bigint {
  const { dtype, data } = tensor;
  const bits = dtype === 'F32' ? new Uint32Array(data.buffer, data.byteOffset, data.length) : data;
  return elementsSum(Array.from(bits, (value, index) => [BigInt(index), BigInt(value)] as const));
}

/** The fingerprint of tensors by the sums of each: 16 hex digits. */
export function fingerprintOfSums(sums: ReadonlyMap<string, bigint>): string {
  let total = 0n;
  for (const [name, sum] of sums) {
    const hash = createHash('sha256').update(name, 'utf8').digest().readBigUInt64LE(0);
    total += mix64(hash ^ sum);
  }
  return (total & MASK).toString(16).padStart(16, '0');
}

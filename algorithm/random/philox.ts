/**
 * Philox4x32-10, the counter-based generator of Salmon, Moraes, Dror and Shaw, "Parallel random numbers:
 * as easy as 1, 2, 3" (SC 2011): ten rounds of a bijection on a 128-bit counter under a 64-bit key. Any
 * draw can be computed by itself, in any order, by any language, with 32-bit multiplications alone.
 */

/** Four unsigned 32-bit words, lowest first. */
export type Words4 = readonly [number, number, number, number];
/** Two unsigned 32-bit words, lowest first. */
export type Words2 = readonly [number, number];

const ROUNDS = 10;
const MULTIPLIER_0 = 0xd2511f53;
const MULTIPLIER_1 = 0xcd9e8d57;
/** The Weyl sequence that bumps the key between rounds: the golden ratio and √3 − 1. */
const WEYL_0 = 0x9e3779b9;
const WEYL_1 = 0xbb67ae85;

/** The upper 32 bits of the 64-bit product a·b of unsigned words; Math.imul gives the lower. */
function multiplyHigh(a: number, b: number): number {
  const [aLow, aHigh, bLow, bHigh] = [a & 0xffff, a >>> 16, b & 0xffff, b >>> 16];
  // Each sum stays below 2^53, so double arithmetic carries it without loss.
  const middle = aHigh * bLow + Math.floor((aLow * bLow) / 0x10000);
  const carry = aLow * bHigh + (middle % 0x10000);
  return (aHigh * bHigh + Math.floor(middle / 0x10000) + Math.floor(carry / 0x10000)) >>> 0;
}

function round([c0, c1, c2, c3]: Words4, [k0, k1]: Words2): Words4 {
  return [
    (multiplyHigh(MULTIPLIER_1, c2) ^ c1 ^ k0) >>> 0,
    Math.imul(MULTIPLIER_1, c2) >>> 0,
    (multiplyHigh(MULTIPLIER_0, c0) ^ c3 ^ k1) >>> 0,
    Math.imul(MULTIPLIER_0, c0) >>> 0,
  ];
}

/** The 128 random bits that belong to `counter` under `key`. All words are unsigned 32-bit integers. */
export function philox4x32(counter: Words4, key: Words2): Words4 {
  let state = counter;
  let [k0, k1] = key;
  for (let index = 0; index < ROUNDS; index++) {
    state = round(state, [k0, k1]);
    k0 = (k0 + WEYL_0) >>> 0;
    k1 = (k1 + WEYL_1) >>> 0;
  }
  return state;
}

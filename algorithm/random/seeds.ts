/**
 * The source of every random choice of a run. Nothing here has state: a seed is a pure function of its
 * purpose, and a draw is a pure function of (seed, position). Any worker, in any language, that follows the
 * three definitions below draws the same numbers; `contracts/vectors/seeds.json` has test vectors.
 *
 *     deriveSeed  = w0 + 2^32·w1 of philox4x32(
 *                     counter = [fnv1a32("stage/branch/purpose"), step, slot, sample],
 *                     key     = [runSeed mod 2^32, ⌊runSeed / 2^32⌋])
 *     uniformAt   = (⌊w0 / 2^5⌋·2^26 + ⌊w1 / 2^6⌋) / 2^53 of philox4x32(
 *                     counter = [position mod 2^32, ⌊position / 2^32⌋, 0, 0],
 *                     key     = [seed mod 2^32, ⌊seed / 2^32⌋])
 *     permutation = Fisher–Yates from the identity: for i = n−1 … 1 swap i with ⌊uniformAt(seed, i)·(i+1)⌋
 *
 * where w0 … w3 are the generator's output words. Seeds are 64-bit; JSON's numbers are not, so JSON has a seed
 * as a string of decimal digits.
 */
import { philox4x32, type Words2 } from './philox.ts';

const WORD = 0x1_0000_0000;
const LARGEST_SEED = 0xffff_ffff_ffff_ffffn;

/** What a seed is for. Two uses that differ in any field draw independent numbers. */
export interface SeedPurpose {
  /** The run's own seed, 0 … 2^64−1. */
  runSeed: bigint;
  /** The stage's name. It may contain "/"; the purpose may not, so that two purposes never have one label. */
  stage: string;
  /** The branch within the stage; a rewound stage continues under a new one, with new draws. */
  branch: number;
  /** What is drawn: "sample", "prompts", "shuffle" … */
  purpose: string;
  /** Optimiser step, 0 … 2^32−1. */
  step: number;
  /** Which prompt of the step, 0 … 2^32−1. */
  slot: number;
  /** Which completion of the prompt, 0 … 2^32−1. */
  sample: number;
}

/** The seed of one purpose, 0 … 2^64−1. Throws RangeError where a field does not fit its word. */
export function deriveSeed({ runSeed, stage, branch, purpose, step, slot, sample }: SeedPurpose): bigint {
  const label = `${stageName(stage)}/${word('branch', branch)}/${namePart('purpose', purpose)}`;
  const counter = [fnv1a32(label), word('step', step), word('slot', slot), word('sample', sample)] as const;
  const [w0, w1] = philox4x32(counter, seedWords(runSeed));
  return BigInt(w0) | (BigInt(w1) << 32n);
}

/** The draw at `position` (0 … 2^53−1) of a seed's stream: uniform in [0, 1), all 53 bits random. */
export function uniformAt(seed: bigint, position: number): number {
  return uniformFromWords(seedWords(seed), position);
}

/** `uniformAt` for callers that draw often and keep the seed's words. */
export function uniformFromWords(key: Words2, position: number): number {
  if (!Number.isSafeInteger(position) || position < 0) {
    throw new RangeError(`position: expected an integer from 0 to 2^53−1, found ${position}`);
  }
  const [w0, w1] = philox4x32([position % WORD, Math.floor(position / WORD), 0, 0], key);
  return ((w0 >>> 5) * 0x400_0000 + (w1 >>> 6)) / 0x20_0000_0000_0000;
}

/** The integers 0 … n−1 in an order that the seed decides; every order is equally likely. */
export function permutation(seed: bigint, n: number): number[] {
  const key = seedWords(seed);
  const order = Array.from({ length: n }, (_, index) => index);
  for (let i = n - 1; i > 0; i--) {
    const j = Math.floor(uniformFromWords(key, i) * (i + 1));
    [order[i], order[j]] = [order[j] ?? 0, order[i] ?? 0];
  }
  return order;
}

/** A seed's two 32-bit words, lowest first: the generator's key. Throws RangeError beyond 64 bits. */
export function seedWords(seed: bigint): Words2 {
  if (seed < 0n || seed > LARGEST_SEED) {
    throw new RangeError(`seed: expected an integer from 0 to 2^64−1, found ${seed}`);
  }
  return [Number(seed & 0xffff_ffffn), Number(seed >> 32n)];
}

/** Reads a seed as JSON has it: decimal digits. Throws RangeError on anything else. */
export function parseSeed(text: string): bigint {
  const seed = /^(0|[1-9]\d{0,19})$/.test(text) ? BigInt(text) : -1n;
  if (seed < 0n || seed > LARGEST_SEED) {
    throw new RangeError(`seed: expected decimal digits from 0 to 2^64−1, found ${JSON.stringify(text)}`);
  }
  return seed;
}

/** Writes a seed as JSON has it: decimal digits. */
export function formatSeed(seed: bigint): string {
  seedWords(seed);
  return seed.toString(10);
}

/** FNV-1a, 32 bits, over the text's UTF-8 bytes (Fowler, Noll and Vo; draft-eastlake-fnv). */
export function fnv1a32(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of utf8Bytes(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash;
}

/** Written by hand because a workflow's sandbox has no TextEncoder. */
function* utf8Bytes(text: string): Generator<number> {
  for (const character of text) {
    const point = character.codePointAt(0) ?? 0;
    if (point < 0x80) yield point;
    else if (point < 0x800) yield* [0xc0 | (point >> 6), continuation(point, 0)];
    else if (point < 0x10000) yield* [0xe0 | (point >> 12), continuation(point, 1), continuation(point, 0)];
    else yield* [0xf0 | (point >> 18), ...[2, 1, 0].map((index) => continuation(point, index))];
  }
}

function continuation(point: number, index: number): number {
  return 0x80 | ((point >> (6 * index)) & 0x3f);
}

function word(field: string, value: number): number {
  if (Number.isInteger(value) && value >= 0 && value < WORD) return value;
  throw new RangeError(`${field}: expected an integer from 0 to 2^32−1, found ${value}`);
}

function stageName(stage: string): string {
  if (stage.length > 0) return stage;
  throw new RangeError('stage: expected a name, found an empty one');
}

function namePart(field: string, value: string): string {
  if (value.length > 0 && !value.includes('/')) return value;
  throw new RangeError(`${field}: expected a name without "/", found ${JSON.stringify(value)}`);
}

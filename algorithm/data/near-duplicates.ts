/**
 * Near-duplicates by shingles: the runs of `size` terms or characters of a text. The similarity of two texts is
 * the overlap of their sets of shingles (Broder, "On the resemblance and containment of documents", 1997).
 */
import type { NearDuplicateRule } from '../../contracts/datasets.ts';
import { distinctHashes, hashOf, runHashes, termHashes } from './term-hashes.ts';

/** A text's distinct shingles as 32-bit hashes, ascending. */
export type Shingles = Uint32Array;

const UNITS: Record<NearDuplicateRule['unit'], (text: string) => Uint32Array> = {
  words: termHashes,
  characters: (text) => Uint32Array.from(text.toLowerCase().replace(/\s+/g, ' ').trim(), hashOf),
};

/** The shingles of a text; a text shorter than a shingle is one. `terms`: its `termHashes`, if computed already. */
export function shinglesOf(
  text: string,
  { unit, size }: Pick<NearDuplicateRule, 'unit' | 'size'>,
  terms?: Uint32Array,
): Shingles {
  const units = unit === 'words' && terms !== undefined ? terms : UNITS[unit](text);
  return distinctHashes(runHashes(units, size));
}

/** Jaccard similarity |a ∩ b| ÷ |a ∪ b|, 0 … 1; two texts without shingles are alike. */
export function jaccard(a: Shingles, b: Shingles): number {
  const common = countCommon(a, b, 0);
  const all = a.length + b.length - common;
  return all === 0 ? 1 : common / all;
}

/** Whether a text is a near-duplicate of one of the others. */
export function isNearDuplicate(text: Shingles, others: readonly Shingles[], similarity: number): boolean {
  return others.some((other) => reaches(text, other, similarity));
}

/** |a ∩ b| ÷ (|a| + |b| − |a ∩ b|) ≥ s  ⇔  |a ∩ b| ≥ s (|a| + |b|) ÷ (1 + s). */
function reaches(a: Shingles, b: Shingles, similarity: number): boolean {
  const needed = (similarity * (a.length + b.length)) / (1 + similarity);
  // A sum of doubles may be slightly above the whole number that it should be.
  return countCommon(a, b, needed - 1e-9) >= needed - 1e-9;
}

/** |a ∩ b|; stops early, with the count so far, once it cannot reach `needed`. */
function countCommon(a: Shingles, b: Shingles, needed: number): number {
  let [common, i, j] = [0, 0, 0];
  while (i < a.length && j < b.length && common + Math.min(a.length - i, b.length - j) >= needed) {
    const [left, right] = [a[i] as number, b[j] as number];
    if (left === right) common++;
    if (left <= right) i++;
    if (right <= left) j++;
  }
  return common;
}

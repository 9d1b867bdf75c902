/**
 * Near-duplicates by shingles: the runs of `size` words or characters that a text holds. Two texts are as
 * alike as their sets of shingles overlap (Broder, "On the resemblance and containment of documents", 1997).
 */
import type { NearDuplicateRule } from '../contracts/datasets.ts';

/** A text's different shingles as 32-bit hashes, ascending. */
export type Shingles = Uint32Array;

const UNITS: Record<NearDuplicateRule['unit'], (text: string) => string[]> = {
  words: (text) => text.toLowerCase().match(/[\p{L}\p{M}\p{N}]+|[^\s\p{L}\p{M}\p{N}]/gu) ?? [],
  characters: (text) => [...text.toLowerCase().replace(/\s+/g, ' ').trim()],
};

/** The shingles of a text; of one shorter than a shingle, its whole. */
export function shinglesOf(text: string, { unit, size }: Pick<NearDuplicateRule, 'unit' | 'size'>): Shingles {
  const hashes = Uint32Array.from(UNITS[unit](text), hashOf);
  const count = Math.max(1, hashes.length - size + 1);
  const shingles = new Uint32Array(count);
  for (let start = 0; start < count; start++) shingles[start] = runHash(hashes, start, size);
  return distinct(shingles.sort());
}

/** Jaccard similarity |a ∩ b| ÷ |a ∪ b|, 0 … 1. */
export function jaccard(a: Shingles, b: Shingles): number {
  let common = 0;
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    const [left = 0, right = 0] = [a[i], b[j]];
    if (left === right) common++;
    if (left <= right) i++;
    if (right <= left) j++;
  }
  return common / (a.length + b.length - common);
}

/** Whether a text is a near-duplicate of one of the others. */
export function isNearDuplicate(text: Shingles, others: readonly Shingles[], similarity: number): boolean {
  return others.some((other) => couldReach(text, other, similarity) && jaccard(text, other) >= similarity);
}

/** |a ∩ b| ÷ |a ∪ b| ≤ min(|a|, |b|) ÷ max(|a|, |b|): lengths alone refuse most. */
function couldReach(a: Shingles, b: Shingles, similarity: number): boolean {
  return Math.min(a.length, b.length) >= similarity * Math.max(a.length, b.length);
}

/** FNV-1a over UTF-16 code units, 32 bits. */
function hashOf(unit: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < unit.length; i++) hash = Math.imul(hash ^ unit.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/** A polynomial in the hashes of a run, so that their order counts; mixed, since low bits alone are weak. */
function runHash(hashes: Uint32Array, start: number, size: number): number {
  let hash = 0;
  for (let i = start; i < Math.min(start + size, hashes.length); i++)
    hash = Math.imul(hash, 0x9e3779b1) + (hashes[i] ?? 0);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return (hash ^ (hash >>> 13)) >>> 0;
}

function distinct(sorted: Uint32Array): Uint32Array {
  return sorted.filter((hash, index) => index === 0 || hash !== sorted[index - 1]);
}

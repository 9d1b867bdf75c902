/**
 * A text as numbers, one per term, so that runs of terms can be compared quickly. A term is a word or number in lower
 * case, a symbol, or a letter of a script without spaces between words; white space is left out. Words are cut at
 * 16 letters, so that `hahaha…` counts as repetition too.
 */

const LONGEST_WORD = 16;
const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

const SPACELESS = '\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Thai}';
const TERM = new RegExp(
  `[${SPACELESS}]|(?:(?![${SPACELESS}])[\\p{L}\\p{M}\\p{N}]){1,${LONGEST_WORD}}|\\S`,
  'gu',
);

/** 32-bit hashes (FNV-1a over UTF-16 code units) of the terms in their order. */
export function termHashes(text: string): Uint32Array {
  const lower = text.toLowerCase();
  // biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII
  return /^[\x00-\x7f]*$/.test(lower)
    ? hashesOfAscii(lower)
    : Uint32Array.from(lower.match(TERM) ?? [], hashOf);
}

export function hashOf(term: string): number {
  let hash = FNV_OFFSET;
  for (let i = 0; i < term.length; i++) hash = Math.imul(hash ^ term.charCodeAt(i), FNV_PRIME);
  return hash >>> 0;
}

/** The same as the pattern, by character codes: most text is ASCII, and Unicode patterns are slow. */
function hashesOfAscii(lower: string): Uint32Array {
  const hashes = new Uint32Array(lower.length);
  let count = 0;
  let letters = 0;
  let hash = FNV_OFFSET;
  const end = () => {
    if (letters > 0) hashes[count++] = hash >>> 0;
    letters = 0;
    hash = FNV_OFFSET;
  };
  for (let i = 0; i < lower.length; i++) {
    const code = lower.charCodeAt(i);
    if (letters === LONGEST_WORD || !isWordCode(code)) end();
    if (isSpaceCode(code)) continue;
    hash = Math.imul(hash ^ code, FNV_PRIME);
    letters++;
    if (!isWordCode(code)) end();
  }
  end();
  return hashes.slice(0, count);
}

const isWordCode = (code: number) => (code >= 97 && code <= 122) || (code >= 48 && code <= 57);
const isSpaceCode = (code: number) => code === 32 || (code >= 9 && code <= 13);

/** One hash for each run of `size` terms, in order; one for all of fewer terms; none without terms. */
export function runHashes(terms: Uint32Array, size: number): Uint32Array {
  const runs = new Uint32Array(terms.length === 0 ? 0 : Math.max(1, terms.length - size + 1));
  for (let start = 0; start < runs.length; start++) {
    let hash = 0;
    const stop = Math.min(start + size, terms.length);
    // A polynomial in the terms' hashes, so that their order matters; mixed, since its low bits are weak.
    for (let i = start; i < stop; i++) hash = Math.imul(hash, 0x9e3779b1) + (terms[i] ?? 0);
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    runs[start] = hash ^ (hash >>> 13);
  }
  return runs;
}

/** The distinct hashes, ascending. */
export function distinctHashes(hashes: Uint32Array): Uint32Array {
  const sorted = hashes.slice().sort();
  let count = 0;
  for (let i = 0; i < sorted.length; i++) {
    const hash = sorted[i] ?? 0;
    if (i === 0 || hash !== sorted[count - 1]) sorted[count++] = hash;
  }
  return sorted.slice(0, count);
}

/** The share of a text's runs of `size` terms that occurred before in it, 0 … 1; 0 of fewer than two runs. */
export function repeatedShare(terms: Uint32Array, size: number): number {
  const runs = runHashes(terms, size);
  return terms.length <= size ? 0 : 1 - distinctHashes(runs).length / runs.length;
}

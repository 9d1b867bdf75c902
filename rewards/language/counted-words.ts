/** Decides the language by counting listed words: for tasks whose languages no detector knows. */

export interface CountedWords {
  target: readonly string[];
  other: readonly string[];
}

const WORD = /[\p{L}\p{M}]+/gu;

/** The share of the target's words among the listed words of a text, 0 … 1; 1 for a text without listed words. */
export function countedShare({ target, other }: CountedWords): (text: string) => number {
  const [wanted, unwanted] = [setOf(target), setOf(other)];
  return (text) => {
    const words = text.toLowerCase().match(WORD) ?? [];
    const inTarget = words.filter((word) => wanted.has(word)).length;
    const counted = inTarget + words.filter((word) => unwanted.has(word)).length;
    return counted === 0 ? 1 : inTarget / counted;
  };
}

const setOf = (words: readonly string[]) => new Set(words.map((word) => word.toLowerCase()));

/** `; did you mean learning_rate?` where a known name is close to this one, else an empty text. */
export function suggestion(name: string, known: Iterable<string>): string {
  const nearest = closest(name, known);
  return nearest === undefined ? '' : `; did you mean ${nearest}?`;
}

/** No known name is this long. */
const LONGEST_NAME = 100;

/**
 * The nearest known name with an edit distance of at most a third of the letters (at least 1); else one that contains
 * all words of `name`, or only words of it (`batch_size`: `per_device_train_batch_size`).
 */
export function closest(name: string, known: Iterable<string>): string | undefined {
  if (name.length > LONGEST_NAME) return undefined;
  const candidates = [...known];
  const ranked = candidates
    .map((candidate) => ({ candidate, distance: editDistance(name.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance);
  const [best] = ranked;
  const limit = Math.max(1, Math.floor(name.length / 3));
  if (best !== undefined && best.distance <= limit) return best.candidate;
  return candidates.find((candidate) => isWithin(name, candidate) || isWithin(candidate, name));
}

/** Whether all of several words of one name occur in another. */
function isWithin(part: string, whole: string): boolean {
  const [few, many] = [wordsOf(part), wordsOf(whole)];
  return few.length > 1 && few.every((word) => many.includes(word));
}

const wordsOf = (name: string) =>
  name
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '');

/** Levenshtein distance. */
export function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const substituted = (previous[column - 1] ?? 0) + Number(a[row - 1] !== b[column - 1]);
      const inserted = (current[column - 1] ?? 0) + 1;
      const deleted = (previous[column] ?? 0) + 1;
      current.push(Math.min(substituted, inserted, deleted));
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}

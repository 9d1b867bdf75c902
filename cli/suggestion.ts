/** `; did you mean learning_rate?` where one of the known names is near enough, else nothing. */
export function suggestion(name: string, known: Iterable<string>): string {
  const nearest = closest(name, known);
  return nearest === undefined ? '' : `; did you mean ${nearest}?`;
}

/** The known name that at most a third of the letters (and at least one) separate from `name`. */
export function closest(name: string, known: Iterable<string>): string | undefined {
  const ranked = [...known]
    .map((candidate) => ({ candidate, distance: editDistance(name, candidate) }))
    .sort((a, b) => a.distance - b.distance);
  const [best] = ranked;
  const limit = Math.max(1, Math.floor(name.length / 3));
  return best !== undefined && best.distance <= limit ? best.candidate : undefined;
}

/** Levenshtein's distance: insertions, deletions and substitutions of one letter, each counted 1. */
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

/** Number of cached results. One verdict reads each of its few texts several times. */
const CAPACITY = 16;

/** Caches the latest results of a pure function of a text. */
export function memoized<T>(compute: (text: string) => T): (text: string) => T {
  const results = new Map<string, T>();
  return (text) => {
    const known = results.get(text);
    if (known !== undefined) return known;
    const result = compute(text);
    if (results.size >= CAPACITY) results.clear();
    results.set(text, result);
    return result;
  };
}

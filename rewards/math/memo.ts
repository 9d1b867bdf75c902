/** Results that are kept: those of the texts of one verdict, which are read several times. */
const KEPT = 16;

/** The same pure function of a text, which remembers its latest results. */
export function remembered<T>(compute: (text: string) => T): (text: string) => T {
  const results = new Map<string, T>();
  return (text) => {
    const known = results.get(text);
    if (known !== undefined) return known;
    const result = compute(text);
    if (results.size >= KEPT) results.clear();
    results.set(text, result);
    return result;
  };
}

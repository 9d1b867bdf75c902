/** Bytes of immutable objects, kept up to a limit; the least recently used are dropped first. */
export interface ByteCache {
  has(key: string): boolean;
  /** The bytes kept under the key, or else those that `load` returns. Concurrent calls load them once. */
  get(key: string, load: () => Promise<Uint8Array>): Promise<Uint8Array>;
}

export function createByteCache(limit: number): ByteCache {
  /** in the order of their last use */
  const kept = new Map<string, Uint8Array>();
  const loading = new Map<string, Promise<Uint8Array>>();
  let total = 0;

  const keep = (key: string, bytes: Uint8Array) => {
    kept.set(key, bytes);
    total += bytes.length;
    for (const [oldest, { length }] of kept) {
      if (total <= limit) break;
      kept.delete(oldest);
      total -= length;
    }
  };
  return {
    has: (key) => kept.has(key) || loading.has(key),
    async get(key, load) {
      const found = kept.get(key);
      if (found !== undefined) {
        kept.delete(key);
        kept.set(key, found);
        return found;
      }
      const pending = loading.get(key) ?? load().finally(() => loading.delete(key));
      const first = !loading.has(key);
      loading.set(key, pending);
      const bytes = await pending;
      if (first) keep(key, bytes);
      return bytes;
    },
  };
}

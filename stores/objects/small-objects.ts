import type { Reference } from '../../contracts/reference.ts';
import { createByteCache } from './byte-cache.ts';
import type { ObjectStore } from './objects.ts';

export interface SmallObjectLimits {
  /** bytes of all that is kept */
  total: number;
  /** bytes of the largest object that is kept */
  largest: number;
}

const DEFAULT_LIMITS: SmallObjectLimits = { total: 32 * 2 ** 20, largest: 512 * 1024 };

/**
 * The same store, with its small objects kept in memory once they are written or read: an object never changes, and a
 * step reads the same few several times. A part of a small object is cut from the whole, whose checksum is checked.
 */
export function keepSmallObjects(
  store: ObjectStore,
  limits: SmallObjectLimits = DEFAULT_LIMITS,
): ObjectStore {
  const kept = createByteCache(limits.total);
  const nameOf = ({ uri, sha256 }: Reference) => `${sha256} ${uri}`;
  const isSmall = ({ bytes }: Pick<Reference, 'bytes'>) => bytes <= limits.largest;
  const get = async (reference: Reference) => {
    if (!isSmall(reference)) return await store.get(reference);
    // A copy: what a caller does with its bytes must not change what is kept.
    return (await kept.get(nameOf(reference), () => store.get(reference))).slice();
  };
  return {
    ...store,
    get,
    async put(key, bytes, onBytes) {
      const reference = await store.put(key, bytes, onBytes);
      if (isSmall(reference)) await kept.get(nameOf(reference), async () => bytes.slice());
      return reference;
    },
    async getRange(reference, offset, length) {
      if (!isSmall(reference)) return await store.getRange(reference, offset, length);
      const bytes = (await get(reference)).subarray(offset, offset + length);
      // The store's own error names what is missing.
      return bytes.length === length ? bytes : await store.getRange(reference, offset, length);
    },
  };
}

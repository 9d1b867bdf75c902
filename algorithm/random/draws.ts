import { seedWords, uniformFromWords } from './seeds.ts';

/** Choices drawn one after the other from one seed's stream, from position 0 on. */
export interface Draws {
  /** An integer from `low` to `high`, both included. */
  integer(low: number, high: number): number;
  /** True with this probability. */
  chance(probability: number): boolean;
  /** One of the items; throws RangeError for none. */
  among<Item>(items: readonly Item[]): Item;
}

export function drawsFrom(seed: bigint): Draws {
  const key = seedWords(seed);
  let position = 0;
  const uniform = () => uniformFromWords(key, position++);
  const integer = (low: number, high: number) => low + Math.floor(uniform() * (high - low + 1));
  return {
    integer,
    chance: (probability) => uniform() < probability,
    among(items) {
      const item = items[integer(0, items.length - 1)];
      if (item === undefined) throw new RangeError('among: expected at least one item, found none');
      return item;
    },
  };
}

/**
 * First-fit decreasing (Johnson 1973): the largest first, each into the first bin with enough free space. At most
 * 11/9 of the fewest bins possible, and two thirds of a bin more (Dósa 2007).
 *
 * Returns the bins in the order in which they were opened, each with its items' indices in the order in which
 * they were added. Items of equal size keep their order, so equal sizes give equal bins.
 * @throws RangeError for an item that fits no bin.
 */
export function packFirstFitDecreasing(sizes: readonly number[], capacity: number): number[][] {
  const largestFirst = sizes.map((size, index) => ({ size, index }));
  largestFirst.sort((a, b) => b.size - a.size || a.index - b.index);
  const bins: { free: number; items: number[] }[] = [];
  for (const { size, index } of largestFirst) {
    if (size > capacity) {
      throw new RangeError(`item ${index}: expected a size of at most ${capacity}, found ${size}`);
    }
    const open = bins.find(({ free }) => free >= size);
    if (open === undefined) {
      bins.push({ free: capacity - size, items: [index] });
    } else {
      open.free -= size;
      open.items.push(index);
    }
  }
  return bins.map(({ items }) => items);
}

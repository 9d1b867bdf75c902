/** Samples the memory (RSS) of this process. */

export interface MemoryUse {
  /** maximum bytes in the first half of the time, and in the second */
  firstHalf: number;
  secondHalf: number;
  /** whether the second half's maximum is at most a fifth above the first's */
  flat: boolean;
}

const INTERVAL_MS = 250;
const ALLOWED_GROWTH = 1.2;

export function watchMemory() {
  const seen = [process.memoryUsage.rss()];
  const timer = setInterval(() => seen.push(process.memoryUsage.rss()), INTERVAL_MS);
  return {
    now: () => process.memoryUsage.rss(),
    end(): MemoryUse {
      clearInterval(timer);
      seen.push(process.memoryUsage.rss());
      const middle = seen.length >> 1;
      const [firstHalf, secondHalf] = [Math.max(...seen.slice(0, middle)), Math.max(...seen.slice(middle))];
      return { firstHalf, secondHalf, flat: secondHalf <= ALLOWED_GROWTH * firstHalf };
    },
  };
}

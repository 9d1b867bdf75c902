/** What this process holds in memory (RSS) while something goes on. */

export interface MemoryUse {
  /** bytes at most in the first half of the time, and in the second */
  firstHalf: number;
  secondHalf: number;
  /** whether the second half needs no more than a fifth above the first */
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

/** The memory (RSS) of processes while a rollout passes through them, read from Linux's /proc. */
import { readFile } from 'node:fs/promises';
import { withDescendants } from '../../helpers/usage.ts';

const SAMPLE_MS = 200;
/** How often the processes that each has started are looked up. */
const DESCENDANTS_MS = 5000;

/** Peaks of one process with those that it has started, bytes. `peak` is of the whole time that it was watched. */
export interface MemoryPeaks {
  peak: number;
  firstHalf: number;
  secondHalf: number;
}

interface Sample {
  /** milliseconds since the epoch */
  at: number;
  bytes: number;
}

export interface MemoryWatch {
  /** bytes now, by process */
  now(): Map<string, number>;
  /** Peaks from `from` to `to`, in milliseconds since the epoch, and of both halves of that time. */
  peaks(from: number, to: number): Map<string, MemoryPeaks>;
  stop(): void;
}

/** Watches processes by name. Each sample adds up the process and what it has started. */
export function watchMemory(pids: ReadonlyMap<string, number>): MemoryWatch {
  const samples = new Map<string, Sample[]>([...pids.keys()].map((name) => [name, []]));
  const families = new Map([...pids].map(([name, pid]) => [name, new Set([pid])]));
  const look = async () => {
    for (const [name, family] of families) {
      const resident = await Promise.all([...family].map(residentOf));
      const bytes = resident.reduce((sum, each) => sum + each, 0);
      samples.get(name)?.push({ at: Date.now(), bytes });
    }
  };
  const lookUp = async () => {
    for (const [name, pid] of pids) families.set(name, await withDescendants([pid]));
  };
  const timers = [
    setInterval(() => void look(), SAMPLE_MS),
    setInterval(() => void lookUp(), DESCENDANTS_MS),
  ];
  void lookUp();
  return {
    now: () => new Map([...samples].map(([name, of]) => [name, of.at(-1)?.bytes ?? 0])),
    peaks(from, to) {
      const middle = (from + to) / 2;
      return new Map(
        [...samples].map(([name, of]) => [
          name,
          {
            peak: Math.max(0, ...of.map(({ bytes }) => bytes)),
            firstHalf: peakOf(of, from, middle),
            secondHalf: peakOf(of, middle, to),
          },
        ]),
      );
    },
    stop: () => timers.forEach(clearInterval),
  };
}

/** Of a time without a sample: the last one before its end. */
function peakOf(samples: readonly Sample[], from: number, to: number): number {
  const before = samples.filter(({ at }) => at <= to);
  const within = before.filter(({ at }) => at >= from);
  return Math.max(0, ...(within.length > 0 ? within : before.slice(-1)).map(({ bytes }) => bytes));
}

/** 0 where the process has ended. */
async function residentOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return 1024 * Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0);
}

import { Worker } from 'node:worker_threads';
import type { MathVerdict } from './verify.ts';

export interface MathRequest {
  groundTruth: string;
  response: string;
}

/**
 * A verdict, or why there is none. 'timeout' (the wall clock ran out) and 'internal' (the thread failed) say
 * nothing of the answer: ask again.
 */
export type PoolVerdict = MathVerdict | { error: { kind: 'timeout' | 'internal'; message: string } };

/** What the thread is sent; `cells[0]`: the index of the request it is at. */
export interface PoolBatch {
  requests: MathRequest[];
  cells: Int32Array;
}
export type PoolAnswer = PoolVerdict[];

export interface MathPoolOptions {
  threads?: number;
  /** for each single request, milliseconds */
  timeoutMs?: number;
  /** requests that cross to a thread at once */
  batchSize?: number;
}

const isRetryable = (verdict: PoolVerdict) => 'error' in verdict && verdict.error.kind === 'timeout';

export { isRetryable };

/** A thread that can be killed, and the batch it is at. */
class PoolThread {
  private worker: Worker | null = null;

  /** Sends a batch; the answers that came before the clock ran out, and how the rest ended. */
  async run(requests: MathRequest[], timeoutMs: number): Promise<PoolVerdict[]> {
    const worker = await this.ready();
    const cells = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
    const outcome = await new Promise<PoolAnswer | 'timeout' | Error>((resolve) => {
      const stop = watch(cells, timeoutMs, () => resolve('timeout'));
      const end = (result: PoolAnswer | Error) => {
        stop();
        worker.off('message', end).off('error', end);
        resolve(result);
      };
      worker.once('message', end);
      worker.once('error', end);
      worker.postMessage({ requests, cells } satisfies PoolBatch);
    });
    if (Array.isArray(outcome)) return outcome;
    await this.close();
    return this.resume(requests, cells[0] ?? 0, outcome, timeoutMs);
  }

  /** The request that was under way is given up; the others are asked again of a fresh thread. */
  private async resume(
    requests: MathRequest[],
    at: number,
    outcome: 'timeout' | Error,
    timeoutMs: number,
  ): Promise<PoolVerdict[]> {
    const error =
      outcome === 'timeout'
        ? { kind: 'timeout' as const, message: `no verdict within ${timeoutMs} ms; try again` }
        : { kind: 'internal' as const, message: outcome.message };
    const before = at > 0 ? await this.run(requests.slice(0, at), timeoutMs) : [];
    const after = at + 1 < requests.length ? await this.run(requests.slice(at + 1), timeoutMs) : [];
    return [...before, { error }, ...after];
  }

  private async ready(): Promise<Worker> {
    if (this.worker) return this.worker;
    const worker = new Worker(new URL('./thread.mjs', import.meta.url));
    await new Promise<void>((resolve, reject) => {
      worker.once('message', () => resolve());
      worker.once('error', reject);
    });
    // A thread that dies between batches is replaced by the next one.
    worker.on('error', () => undefined);
    worker.once('exit', () => {
      if (this.worker === worker) this.worker = null;
    });
    this.worker = worker;
    return worker;
  }

  async close(): Promise<void> {
    await this.worker?.terminate();
    this.worker = null;
  }
}

/** Calls `expired` once the thread has been at the same request for `timeoutMs`; returns how to stop. */
function watch(cells: Int32Array, timeoutMs: number, expired: () => void): () => void {
  let [seen, since] = [-1, performance.now()];
  const timer = setInterval(
    () => {
      const now = Atomics.load(cells, 0);
      if (now !== seen) [seen, since] = [now, performance.now()];
      else if (performance.now() - since >= timeoutMs) {
        clearInterval(timer);
        expired();
      }
    },
    Math.max(1, timeoutMs / 10),
  );
  return () => clearInterval(timer);
}

/**
 * Math verdicts in threads that are killed when one takes too long. The limits on the input keep an ordinary
 * thread far from the clock; where it strikes all the same, the request's outcome is an error of kind
 * 'timeout', never a verdict, and the others of its batch are answered.
 */
export class MathPool {
  private readonly threads: PoolThread[];
  private readonly timeoutMs: number;
  private readonly batchSize: number;

  constructor({ threads = 1, timeoutMs = 5_000, batchSize = 256 }: MathPoolOptions = {}) {
    this.threads = Array.from({ length: threads }, () => new PoolThread());
    this.timeoutMs = timeoutMs;
    this.batchSize = batchSize;
  }

  /** Verdicts in the order of the requests. */
  async verify(requests: readonly MathRequest[]): Promise<PoolVerdict[]> {
    const verdicts: PoolVerdict[] = new Array(requests.length);
    let next = 0;
    const serve = async (thread: PoolThread) => {
      while (next < requests.length) {
        const start = next;
        next += this.batchSize;
        const batch = requests.slice(start, start + this.batchSize);
        const answers = await thread.run(batch, this.timeoutMs);
        for (const [i, answer] of answers.entries()) verdicts[start + i] = answer;
      }
    };
    await Promise.all(this.threads.map(serve));
    return verdicts;
  }

  async close(): Promise<void> {
    await Promise.all(this.threads.map((thread) => thread.close()));
  }
}

import { Worker } from 'node:worker_threads';
import type { MathVerdict } from './verify.ts';

export interface MathRequest {
  groundTruth: string;
  response: string;
  /** whether to compute the answer's value too */
  value?: boolean;
}

/**
 * A verdict, or why there is none. 'timeout' (the wall-clock limit passed) and 'internal' (the thread failed) say
 * nothing about the answer: try again.
 */
export type PoolVerdict = MathVerdict | { error: { kind: 'timeout' | 'internal'; message: string } };

/**
 * The message to a thread. Shared memory: `cells[0]` is the index of the current request; `cells[1 + i]` is 1 once
 * request i is cancelled.
 */
export interface PoolBatch {
  requests: MathRequest[];
  cells: Int32Array;
}
export type PoolAnswer = PoolVerdict[];

export interface MathPoolOptions {
  threads?: number;
  /** milliseconds for each single request */
  timeoutMs?: number;
  /** most requests in one message to a thread */
  batchSize?: number;
}

const isRetryable = (verdict: PoolVerdict) => 'error' in verdict && verdict.error.kind === 'timeout';

export { isRetryable };

/** A thread that can be killed and started again. */
class PoolThread {
  private worker: Worker | null = null;

  /**
   * Sends a batch and returns its verdicts; a request that exceeds the time limit or kills the thread gets an error.
   */
  async run(pending: readonly PendingRequest[], timeoutMs: number): Promise<PoolVerdict[]> {
    const worker = await this.ready();
    const requests = pending.map(({ request }) => request);
    const cells = new Int32Array(new SharedArrayBuffer((1 + requests.length) * Int32Array.BYTES_PER_ELEMENT));
    const outcome = await new Promise<PoolAnswer | 'timeout' | Error>((resolve) => {
      const stop = watch(pending, cells, { timeoutMs, expired: () => resolve('timeout') });
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
    return this.resume(pending, cells[0] ?? 0, outcome, timeoutMs);
  }

  /** Gives up the request that was running; a fresh thread runs the others again. */
  private async resume(
    pending: readonly PendingRequest[],
    at: number,
    outcome: 'timeout' | Error,
    timeoutMs: number,
  ): Promise<PoolVerdict[]> {
    const error =
      outcome === 'timeout'
        ? { kind: 'timeout' as const, message: `no verdict within ${timeoutMs} ms; try again` }
        : { kind: 'internal' as const, message: outcome.message };
    const before = at > 0 ? await this.run(pending.slice(0, at), timeoutMs) : [];
    const after = at + 1 < pending.length ? await this.run(pending.slice(at + 1), timeoutMs) : [];
    return [...before, { error }, ...after];
  }

  private async ready(): Promise<Worker> {
    if (this.worker) return this.worker;
    const worker = new Worker(new URL('./thread.mjs', import.meta.url));
    await new Promise<void>((resolve, reject) => {
      worker.once('message', () => resolve());
      worker.once('error', reject);
    });
    // A thread that dies between batches is replaced when the next batch arrives.
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

/**
 * Calls `expired` once the thread has worked on the same request for `timeoutMs`, and marks cancelled requests.
 * Returns a function that stops the timer.
 */
function watch(
  pending: readonly PendingRequest[],
  cells: Int32Array,
  { timeoutMs, expired }: { timeoutMs: number; expired: () => void },
): () => void {
  let [seen, since] = [-1, performance.now()];
  const timer = setInterval(
    () => {
      for (const [i, { signal }] of pending.entries()) if (signal?.aborted) Atomics.store(cells, 1 + i, 1);
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

/** The smallest batch: fewer requests are not worth another thread. */
const LEAST_SHARE = 16;

interface PendingRequest {
  request: MathRequest;
  signal: AbortSignal | undefined;
  answer: (verdict: PoolVerdict) => void;
}

/** Gives verdicts in the order of the requests. A signal cancels them, and `verify` rejects with its reason. */
export interface MathVerifier {
  verify(requests: readonly MathRequest[], signal?: AbortSignal): Promise<PoolVerdict[]>;
}

/**
 * Computes math verdicts in threads, which are killed when a request takes too long. The limits on the input keep
 * requests far below the time limit. A request that exceeds it all the same gets an error of kind 'timeout', never a
 * verdict; the others of its batch get their verdicts. Requests made in the same turn of the event loop, by any
 * caller, share batches.
 */
export class MathPool implements MathVerifier {
  private readonly threads: PoolThread[];
  private readonly idle: Set<PoolThread>;
  private readonly timeoutMs: number;
  private readonly batchSize: number;
  private readonly waiting: PendingRequest[] = [];
  private scheduled = false;

  constructor({ threads = 1, timeoutMs = 5_000, batchSize = 256 }: MathPoolOptions = {}) {
    this.threads = Array.from({ length: threads }, () => new PoolThread());
    this.idle = new Set(this.threads);
    this.timeoutMs = timeoutMs;
    this.batchSize = batchSize;
  }

  async verify(requests: readonly MathRequest[], signal?: AbortSignal): Promise<PoolVerdict[]> {
    signal?.throwIfAborted();
    const answers = requests.map(
      (request) => new Promise<PoolVerdict>((answer) => this.waiting.push({ request, signal, answer })),
    );
    this.schedule();
    const verdicts = await Promise.all(answers);
    signal?.throwIfAborted();
    return verdicts;
  }

  /** Starts the threads at the end of this turn of the event loop, when all callers have made their requests. */
  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      for (const thread of this.idle) {
        const batch = this.take();
        if (batch.length > 0) void this.serve(thread, batch);
      }
    });
  }

  /** Takes an even share of the waiting requests, but at least `LEAST_SHARE`. */
  private take(): PendingRequest[] {
    const share = Math.max(LEAST_SHARE, Math.ceil(this.waiting.length / Math.max(1, this.idle.size)));
    return this.waiting.splice(0, Math.min(this.batchSize, share));
  }

  private async serve(thread: PoolThread, first: PendingRequest[]): Promise<void> {
    this.idle.delete(thread);
    for (let batch = first; batch.length > 0; batch = this.take()) {
      const answers = await this.run(thread, batch);
      for (const [i, { answer }] of batch.entries()) answer(answers[i] ?? NO_VERDICT);
    }
    this.idle.add(thread);
  }

  private async run(thread: PoolThread, batch: readonly PendingRequest[]): Promise<PoolVerdict[]> {
    try {
      return await thread.run(batch, this.timeoutMs);
    } catch (error) {
      const message = `no thread could be started: ${error instanceof Error ? error.message : error}`;
      return batch.map(() => ({ error: { kind: 'internal', message } }));
    }
  }

  /** Ends the threads; a later request starts them again. */
  async close(): Promise<void> {
    await Promise.all(this.threads.map((thread) => thread.close()));
  }
}

const NO_VERDICT: PoolVerdict = {
  error: { kind: 'internal', message: 'math: expected a verdict from the thread, found none' },
};

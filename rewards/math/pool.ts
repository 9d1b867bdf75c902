import { Worker } from 'node:worker_threads';
import type { MathVerdict } from './verify.ts';

export interface MathRequest {
  groundTruth: string;
  response: string;
  /** whether the answer's value is wanted too */
  value?: boolean;
}

/**
 * A verdict, or why there is none. 'timeout' (the wall clock ran out) and 'internal' (the thread failed) say
 * nothing of the answer: ask again.
 */
export type PoolVerdict = MathVerdict | { error: { kind: 'timeout' | 'internal'; message: string } };

/**
 * What the thread is sent; `cells[0]`: the index of the request it is at; `cells[1 + i]`: 1 where nobody waits for
 * request i any more.
 */
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
  async run(asked: readonly Asked[], timeoutMs: number): Promise<PoolVerdict[]> {
    const worker = await this.ready();
    const requests = asked.map(({ request }) => request);
    const cells = new Int32Array(new SharedArrayBuffer((1 + requests.length) * Int32Array.BYTES_PER_ELEMENT));
    const outcome = await new Promise<PoolAnswer | 'timeout' | Error>((resolve) => {
      const stop = watch(asked, cells, { timeoutMs, expired: () => resolve('timeout') });
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
    return this.resume(asked, cells[0] ?? 0, outcome, timeoutMs);
  }

  /** The request that was under way is given up; the others are asked again of a fresh thread. */
  private async resume(
    asked: readonly Asked[],
    at: number,
    outcome: 'timeout' | Error,
    timeoutMs: number,
  ): Promise<PoolVerdict[]> {
    const error =
      outcome === 'timeout'
        ? { kind: 'timeout' as const, message: `no verdict within ${timeoutMs} ms; try again` }
        : { kind: 'internal' as const, message: outcome.message };
    const before = at > 0 ? await this.run(asked.slice(0, at), timeoutMs) : [];
    const after = at + 1 < asked.length ? await this.run(asked.slice(at + 1), timeoutMs) : [];
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

/**
 * Calls `expired` once the thread has been at the same request for `timeoutMs`, and marks requests that nobody
 * waits for; returns how to stop.
 */
function watch(
  asked: readonly Asked[],
  cells: Int32Array,
  { timeoutMs, expired }: { timeoutMs: number; expired: () => void },
): () => void {
  let [seen, since] = [-1, performance.now()];
  const timer = setInterval(
    () => {
      for (const [i, { signal }] of asked.entries()) if (signal?.aborted) Atomics.store(cells, 1 + i, 1);
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

/** Requests for which a further thread is not worth starting. */
const LEAST_SHARE = 16;

interface Asked {
  request: MathRequest;
  signal: AbortSignal | undefined;
  answer: (verdict: PoolVerdict) => void;
}

/** Verdicts in the order of the requests; a signal ends those that wait or run, and rejects with its reason. */
export interface MathVerifier {
  verify(requests: readonly MathRequest[], signal?: AbortSignal): Promise<PoolVerdict[]>;
}

/**
 * Math verdicts in threads that are killed when one takes too long. The limits on the input keep an ordinary
 * thread far from the clock; where it strikes all the same, the request's outcome is an error of kind
 * 'timeout', never a verdict, and the others of its batch are answered. Requests that are made together, by
 * whomever, cross to the threads together.
 */
export class MathPool implements MathVerifier {
  private readonly threads: PoolThread[];
  private readonly idle: Set<PoolThread>;
  private readonly timeoutMs: number;
  private readonly batchSize: number;
  private readonly waiting: Asked[] = [];
  private called = false;

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
    this.callThreads();
    const verdicts = await Promise.all(answers);
    signal?.throwIfAborted();
    return verdicts;
  }

  /** Once the caller, and whoever else asks in the same turn, has asked for everything. */
  private callThreads(): void {
    if (this.called) return;
    this.called = true;
    setImmediate(() => {
      this.called = false;
      for (const thread of this.idle) {
        const batch = this.take();
        if (batch.length > 0) void this.serve(thread, batch);
      }
    });
  }

  /** An even share of what waits, as far as it is worth a thread's while. */
  private take(): Asked[] {
    const share = Math.max(LEAST_SHARE, Math.ceil(this.waiting.length / Math.max(1, this.idle.size)));
    return this.waiting.splice(0, Math.min(this.batchSize, share));
  }

  private async serve(thread: PoolThread, first: Asked[]): Promise<void> {
    this.idle.delete(thread);
    for (let batch = first; batch.length > 0; batch = this.take()) {
      const answers = await this.run(thread, batch);
      for (const [i, { answer }] of batch.entries()) answer(answers[i] ?? UNANSWERED);
    }
    this.idle.add(thread);
  }

  private async run(thread: PoolThread, batch: readonly Asked[]): Promise<PoolVerdict[]> {
    try {
      return await thread.run(batch, this.timeoutMs);
    } catch (error) {
      const message = `no thread could be started: ${error instanceof Error ? error.message : error}`;
      return batch.map(() => ({ error: { kind: 'internal', message } }));
    }
  }

  /** Ends the threads; what is asked later starts them again. */
  async close(): Promise<void> {
    await Promise.all(this.threads.map((thread) => thread.close()));
  }
}

const UNANSWERED: PoolVerdict = { error: { kind: 'internal', message: 'the thread left it unanswered' } };

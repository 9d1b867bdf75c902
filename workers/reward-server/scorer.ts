import { Worker } from 'node:worker_threads';
import { HttpFailure } from './http-failure.ts';

/** To the thread: a request's body, or a request to cancel. */
export type ScorerMessage = { id: number; body: Uint8Array; batch: number } | { cancel: number };

/** From the thread: the response's text, or an error. */
export type ScorerAnswer =
  | { id: number; text: string }
  | { id: number; failure: { status: number; kind: string; message: string } };

/**
 * Scores requests in a separate thread: an expensive text does not block the thread that serves connections.
 */
export interface Scorer {
  /**
   * The response to a request of at most `batch` completions, as JSON. The body's memory is transferred. Rejects with an
   * `HttpFailure`, or with the signal's reason once the work has ended.
   */
  score(body: Uint8Array, batch: number, signal: AbortSignal): Promise<string>;
  close(): Promise<void>;
}

/** How long a thread may take to end a cancelled request before it is terminated. */
const GRACE_MS = 20_000;

const LOST = new HttpFailure(503, 'Unavailable', 'the scoring thread has ended and is restarted: retry');

export function createScorer(): Scorer {
  const waiting = new Map<number, { resolve(text: string): void; reject(error: unknown): void }>();
  let lastId = 0;

  const start = () => {
    const started = new Worker(new URL('./thread.mjs', import.meta.url));
    started.on('message', (answer: ScorerAnswer) => {
      const caller = waiting.get(answer.id);
      if ('text' in answer) return caller?.resolve(answer.text);
      const { status, kind, message } = answer.failure;
      caller?.reject(new HttpFailure(status, kind, message));
    });
    // 'exit' follows, and rejects the callers.
    started.on('error', () => {});
    started.on('exit', () => {
      if (worker === started) worker = undefined;
      for (const { reject } of waiting.values()) reject(LOST);
    });
    return started;
  };

  let worker: Worker | undefined = start();
  const score = async (body: Uint8Array, batch: number, signal: AbortSignal) => {
    signal.throwIfAborted();
    worker ??= start();
    const thread = worker;
    const id = ++lastId;
    let grace: NodeJS.Timeout | undefined;
    const cancel = () => {
      thread.postMessage({ cancel: id } satisfies ScorerMessage);
      grace = setTimeout(() => void thread.terminate(), GRACE_MS);
    };
    signal.addEventListener('abort', cancel, { once: true });
    try {
      return await new Promise<string>((resolve, reject) => {
        waiting.set(id, { resolve, reject });
        thread.postMessage({ id, body, batch } satisfies ScorerMessage, [body.buffer as ArrayBuffer]);
      });
    } finally {
      waiting.delete(id);
      clearTimeout(grace);
      signal.removeEventListener('abort', cancel);
    }
  };

  return {
    score,
    close: async () => {
      await worker?.terminate();
    },
  };
}

import { Worker } from 'node:worker_threads';
import { PHASES } from '../../contracts/training.ts';
import type { Phase } from '../runtime/progress.ts';
import {
  type AnswerMessage,
  largeFiles,
  type ServiceCalls,
  sharedCells,
  type ThreadData,
} from './thread-messages.ts';

type EngineCall = <Name extends keyof ServiceCalls>(
  name: Name,
  ...args: Parameters<ServiceCalls[Name]>
) => Promise<ReturnType<ServiceCalls[Name]>>;

/** What the running call does. */
export interface EngineProgress {
  phase: Phase;
  /** units of the phase that are done: completions, micro-batches, tensors */
  done: number;
  of: number;
  /** tokens computed by the call */
  tokens: number;
}

/** The engine in a worker thread: calls run one after the other, and the caller's event loop is not blocked. */
export interface EngineThread {
  /** Arguments are copied. */
  call: EngineCall;
  /** The same, but large files among the arguments are moved, not copied: the caller's arrays are empty afterwards. */
  callMoving: EngineCall;
  /** Progress of the running call. */
  progress(): EngineProgress;
  /** true: ends the running `sample`, which rejects; false: sampling is allowed again. */
  stopSampling(stop: boolean): void;
  /**
   * For tests: the next `sample` waits once this many of its completions have ended; `meanwhile` is called, and then
   * sampling continues if it returns true.
   */
  holdSampling(completions: number, meanwhile: () => boolean): void;
  /** Resolves with the reason once the thread has ended; later calls reject with it. */
  ended: Promise<Error>;
  close(): Promise<void>;
}

/** An error of the engine's thread, with its original name. */
class EngineError extends Error {
  constructor({ name, message, stack }: { name: string; message: string; stack: string | undefined }) {
    super(message);
    this.name = name;
    this.stack = stack;
  }
}

/** What each call does first. */
const FIRST_PHASES: Record<keyof ServiceCalls, Phase> = {
  readWeights: 'loading',
  load: 'loading',
  sample: 'sampling',
  logprobs: 'log-probabilities',
  train: 'training',
  trainSupervised: 'training',
  loadScorer: 'loading',
  dropScorer: 'loading',
  score: 'scoring',
  stage: 'staging',
  release: 'loading',
};

/** Polling interval of `holdSampling`. */
const HOLD_POLL_MS = 2;

interface Waiting {
  resolve: (value: never) => void;
  reject: (error: Error) => void;
}

/** `threads`: threads that compute one operator; part of the declared numerics. */
export function startEngineThread({ threads }: { threads: number }): EngineThread {
  const cells = new Int32Array(
    new SharedArrayBuffer(Object.keys(sharedCells).length * Int32Array.BYTES_PER_ELEMENT),
  );
  const workerData: ThreadData = { threads, cells };
  const worker = new Worker(new URL('./thread.mjs', import.meta.url), { workerData });
  const waiting = new Map<number, Waiting>();
  let calls = 0;
  let dead: Error | undefined;
  let markEnded: (error: Error) => void = () => undefined;
  const ended = new Promise<Error>((resolve) => {
    markEnded = resolve;
  });
  const fail = (error: Error) => {
    dead ??= error;
    for (const { reject } of waiting.values()) reject(dead);
    waiting.clear();
    markEnded(dead);
  };
  worker.on('message', (answer: AnswerMessage) => {
    const caller = waiting.get(answer.id);
    waiting.delete(answer.id);
    if ('error' in answer) caller?.reject(new EngineError(answer.error));
    else caller?.resolve(answer.result as never);
  });
  worker.on('error', fail);
  worker.on('exit', (code) => fail(new Error(`the engine's thread has ended with code ${code}`)));
  const callWith =
    (moved: (args: unknown[]) => ArrayBuffer[]): EngineCall =>
    (name, ...args) =>
      new Promise((resolve, reject) => {
        if (dead !== undefined) return reject(dead);
        const id = ++calls;
        waiting.set(id, { resolve, reject });
        for (const cell of ['done', 'of', 'tokens'] as const) Atomics.store(cells, sharedCells[cell], 0);
        Atomics.store(cells, sharedCells.phase, PHASES.indexOf(FIRST_PHASES[name]));
        worker.postMessage({ id, name, args }, moved(args));
      });
  return {
    call: callWith(() => []),
    callMoving: callWith(largeFiles),
    progress: () => ({
      phase: PHASES[Atomics.load(cells, sharedCells.phase)] ?? 'loading',
      done: Atomics.load(cells, sharedCells.done),
      of: Atomics.load(cells, sharedCells.of),
      tokens: Atomics.load(cells, sharedCells.tokens),
    }),
    stopSampling: (stop) => void Atomics.store(cells, sharedCells.stop, Number(stop)),
    holdSampling: (completions, meanwhile) => {
      Atomics.store(cells, sharedCells.done, 0);
      Atomics.store(cells, sharedCells.hold, completions);
      const watch = setInterval(() => {
        if (Atomics.load(cells, sharedCells.done) < completions) return;
        clearInterval(watch);
        if (!meanwhile()) return;
        Atomics.store(cells, sharedCells.hold, 0);
        Atomics.notify(cells, sharedCells.hold);
      }, HOLD_POLL_MS);
    },
    ended,
    close: async () => {
      await worker.terminate();
    },
  };
}

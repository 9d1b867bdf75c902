import { parentPort } from 'node:worker_threads';
import type { PoolAnswer, PoolBatch } from './pool.ts';
import { verifyMath, verifyValue } from './verify.ts';

/** The thread of a pool: handles batches one after the other, and marks the request that it works on. */
const port = parentPort;
if (port === null)
  throw new Error('rewards/math/thread-main.ts must run in a worker thread: start it with MathPool');

const CANCELLED = { error: { kind: 'internal', message: 'the request was cancelled' } } as const;

function answer({ requests, cells }: PoolBatch): PoolAnswer {
  return requests.map(({ groundTruth, response, value = false }, i) => {
    Atomics.store(cells, 0, i);
    if (Atomics.load(cells, 1 + i) === 1) return CANCELLED;
    try {
      return (value ? verifyValue : verifyMath)(groundTruth, response);
    } catch (error) {
      return { error: { kind: 'internal', message: String(error) } };
    }
  });
}

port.on('message', (batch: PoolBatch) => {
  port.postMessage(answer(batch));
});
port.postMessage('ready');

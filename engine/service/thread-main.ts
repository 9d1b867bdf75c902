import { parentPort, workerData } from 'node:worker_threads';
import { PHASES } from '../../contracts/training.ts';
import type { ProgressReport } from '../runtime/progress.ts';
import { openRuntime } from '../runtime/runtime.ts';
import { PolicyService, type SampleArrays } from './policy-service.ts';
import {
  type AnswerMessage,
  type CallMessage,
  largeFiles,
  sharedCells,
  type ThreadData,
} from './thread-messages.ts';

/** The engine's side of `engine/service/thread.ts`: runs calls one after the other. */
const { threads, cells } = workerData as ThreadData;
const port = parentPort;
if (port === null)
  throw new Error('engine/service/thread-main.ts is a worker thread; start it by startEngineThread()');

const report: ProgressReport = {
  begin(phase, of) {
    Atomics.store(cells, sharedCells.phase, PHASES.indexOf(phase));
    Atomics.store(cells, sharedCells.done, 0);
    Atomics.store(cells, sharedCells.of, of);
  },
  advance(tokens = 0) {
    Atomics.add(cells, sharedCells.done, 1);
    Atomics.add(cells, sharedCells.tokens, tokens);
  },
};
const service = new PolicyService(openRuntime({ threads }), report);

const watch = {
  onProgress: ({ finished, tokens }: { finished: number; tokens: number }) => {
    Atomics.store(cells, sharedCells.done, finished);
    Atomics.store(cells, sharedCells.tokens, tokens);
    const hold = Atomics.load(cells, sharedCells.hold);
    if (hold > 0 && finished >= hold) Atomics.wait(cells, sharedCells.hold, hold);
  },
  shouldStop: () => Atomics.load(cells, sharedCells.stop) === 1,
};

function answer({ id, name, args }: CallMessage): AnswerMessage {
  try {
    const call = service[name].bind(service) as (...args: unknown[]) => unknown;
    const result = name === 'sample' ? service.sample(args[0] as SampleArrays, watch) : call(...args);
    return { id, result };
  } catch (error) {
    const { name: kind, message, stack } = error instanceof Error ? error : new Error(String(error));
    return { id, error: { name: kind, message, stack } };
  }
}

port.on('message', (message: CallMessage) => {
  const answered = answer(message);
  port.postMessage(answered, 'result' in answered ? largeFiles([answered.result]) : []);
});

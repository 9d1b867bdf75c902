// Connects the caller, which is blocked, to the process that renders templates; starts the process, also after it ended.
import { fork } from 'node:child_process';
import { parentPort, workerData } from 'node:worker_threads';

const { memoryMegabytes } = workerData;
let child;

function start() {
  const started = fork(new URL('./chat-template-process.mjs', import.meta.url), {
    execArgv: [`--max-old-space-size=${memoryMegabytes}`],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    env: {},
  });
  started.once('exit', () => {
    if (child === started) child = undefined;
  });
  return started;
}

function ask(request) {
  child ??= start();
  const receiver = child;
  return new Promise((resolve) => {
    const end = (answer) => {
      receiver.off('message', end).off('exit', lost).off('error', lost);
      resolve(answer);
    };
    const lost = () =>
      end([{ error: `expected it to need at most ${memoryMegabytes} MB, and its process ended` }]);
    receiver.once('message', end).once('exit', lost).once('error', lost);
    receiver.send(request);
  });
}

parentPort.on('message', async ({ request, answered, port }) => {
  port.postMessage(await ask(request));
  Atomics.store(answered, 0, 1);
  Atomics.notify(answered, 0);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { interruptible } from '../../cli/interrupts.ts';

const until = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(new Error('stopped'))));

test('work that is not interrupted gives its result, and its errors as they are', async () => {
  assert.equal(
    await interruptible(
      async () => 7,
      () => '',
    ),
    7,
  );
  await assert.rejects(
    interruptible(
      async () => {
        throw new TypeError('own');
      },
      () => '',
    ),
    { name: 'TypeError' },
  );
});

test('Ctrl-C aborts the work, stops, and says how to go on', async () => {
  const told: string[] = [];
  const ended = interruptible(until, () => {
    told.push('stopped');
    return 'go on with this';
  });
  process.emit('SIGINT', 'SIGINT');
  await assert.rejects(ended, { name: 'Interrupted', message: 'go on with this' });
  assert.deepEqual(told, ['stopped']);
});

test('work that ignores Ctrl-C is not waited for', async () => {
  const ended = interruptible(
    () => new Promise<never>(() => {}),
    () => 'gone',
  );
  process.emit('SIGTERM', 'SIGTERM');
  await assert.rejects(ended, { message: 'gone' });
});

test('the handlers of signals go with the work', async () => {
  const before = process.listenerCount('SIGINT');
  await interruptible(
    async () => {},
    () => '',
  );
  assert.equal(process.listenerCount('SIGINT'), before);
});

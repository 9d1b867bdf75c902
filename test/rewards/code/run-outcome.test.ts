import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_LIMITS } from '../../../rewards/code/limits.ts';
import { endingOf, type RunOutcome } from '../../../rewards/code/run-outcome.ts';
import { SandboxError } from '../../../rewards/code/sandbox-error.ts';

const limits = { ...DEFAULT_LIMITS.run, cpuSeconds: 5, wallSeconds: 20 };
const ending = (given: Partial<RunOutcome>) =>
  endingOf(
    {
      status: 0,
      stoppedBy: null,
      killedForMemory: false,
      cpuSeconds: 0.1,
      ownSeconds: 0.2,
      wallSeconds: 0.2,
      stdout: Buffer.alloc(0),
      stderr: '',
      result: Buffer.alloc(0),
      ...given,
    },
    limits,
  );

test('a program that ends by itself with 0 has completed', () => {
  assert.equal(ending({}), 'completed');
  assert.equal(ending({ status: 3 }), 'crashed');
  assert.equal(ending({ status: 139 }), 'crashed');
});

test('exceeded CPU time is a verdict, however it was detected', () => {
  assert.equal(ending({ stoppedBy: 'cpu', status: 137 }), 'time-limit');
  assert.equal(ending({ status: 152 }), 'time-limit');
  assert.equal(ending({ cpuSeconds: 5 }), 'time-limit');
});

test('exhausted memory is a verdict, by the kernel or by a failed allocation', () => {
  assert.equal(ending({ killedForMemory: true, status: 137 }), 'memory-limit');
  assert.equal(
    ending({ status: 1, stderr: 'Traceback (most recent call last):\nMemoryError\n' }),
    'memory-limit',
  );
  assert.equal(ending({ status: 134, stderr: '  what():  std::bad_alloc\n' }), 'memory-limit');
});

test('a program that ran or slept for its wall limit has exceeded its time', () => {
  const wall = { stoppedBy: 'wall', status: 137, ownSeconds: 20 } as const;
  assert.equal(ending({ ...wall, wallSeconds: 20, cpuSeconds: 0.01 }), 'time-limit');
  assert.equal(ending({ ...wall, wallSeconds: 50, cpuSeconds: 4.9 }), 'time-limit');
});

test('a program that waited for a processor is a retryable error', () => {
  const starved = {
    stoppedBy: 'starved',
    status: 137,
    wallSeconds: 60,
    ownSeconds: 3,
    cpuSeconds: 2,
  } as const;
  assert.throws(
    () => ending(starved),
    (error) =>
      error instanceof SandboxError &&
      error.kind === 'wall-clock' &&
      error.retryable &&
      /within 60\.0 s, found 2\.0 s/.test(error.message),
  );
});

test('a program that does not parse is distinguished from an error of the same name at run time', () => {
  const python =
    '  File "/box/main.py", line 2\n    print(1\n         ^\nSyntaxError: \'(\' was never closed\n';
  assert.equal(ending({ status: 1, stderr: python }), 'does-not-parse');
  const thrown = `Traceback (most recent call last):\n  File "/box/main.py", line 1, in <module>\n${python}`;
  assert.equal(ending({ status: 1, stderr: thrown }), 'crashed');
});

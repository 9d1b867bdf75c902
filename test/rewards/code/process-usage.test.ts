import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import {
  countsWaiting,
  type Interval,
  ownSeconds,
  sampledTimes,
  type ThreadTimes,
  timesOf,
} from '../../../rewards/code/process-usage.ts';

/** An interval of one second, in which threads ran and waited for the given times. */
function own(times: [ran: number, waited: number][], more: Partial<Interval> = {}): number {
  const threads = (of: (times: [number, number]) => ThreadTimes) =>
    new Map(times.map((each, id) => [id, of(each)]));
  const seconds = ownSeconds({
    seconds: 1,
    unattended: 0,
    cpuSeconds: times.reduce((sum, [ran]) => sum + ran, 0),
    before: threads(() => ({ ran: 5, waited: 7 })),
    after: threads(([ran, waited]) => ({ ran: 5 + ran, waited: 7 + waited })),
    ...more,
  });
  return Number(seconds.toFixed(6));
}

test('running and sleeping count as the program’s own time', () => {
  assert.equal(own([[1, 0]]), 1);
  assert.equal(own([[0, 0]]), 1);
  assert.equal(own([[0.25, 0]]), 1);
  assert.equal(own([]), 1);
});

test('waiting for a processor does not count as the program’s own time', () => {
  assert.equal(own([[0, 1]]), 0);
  assert.equal(own([[0.25, 0.75]]), 0.25);
  assert.equal(own([[0.1, 0.6]]), 0.4);
});

test('a thread that sleeps does not hide that another one waits', () => {
  const asleep = Array.from({ length: 50 }, (): [number, number] => [0, 0]);
  assert.equal(own([...asleep, [0.2, 0.8]]), 0.2);
});

test('threads that wait for one another do not make the machine busy', () => {
  const crowd = Array.from({ length: 50 }, (): [number, number] => [0.01, 0.4]);
  assert.equal(own(crowd), 1);
  assert.equal(own([...crowd, [0.5, 0.5]], { cpuSeconds: 1 }), 1);
  assert.equal(
    own([
      [1, 0],
      [1, 0],
    ]),
    1,
  );
});

test('a thread that started within the interval counts as sleeping before', () => {
  assert.equal(
    own([[0.1, 0.9]], { before: new Map(), after: new Map([[9, { ran: 0.1, waited: 0.2 }]]) }),
    0.8,
  );
});

test('time by which this process sampled late may be waiting time', () => {
  assert.equal(own([[0, 0]], { unattended: 0.7 }), 0.3);
  assert.equal(own([[0.5, 0]], { unattended: 0.7 }), 0.5);
});

test('waiting time is counted by the kernel, or sampled', async () => {
  const busy = spawn(process.execPath, ['-e', 'console.log(1); for (;;);'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const asleep = spawn('sleep', ['600'], { stdio: 'ignore' });
  try {
    await once(busy.stdout, 'data');
    const [busyId = 0, asleepId = 0] = [busy.pid, asleep.pid];
    const none = { ran: 0, waited: 0 };
    const sampled = sampledTimes(busyId, none, 1_000);
    assert.ok(sampled !== undefined && Math.abs(sampled.ran + sampled.waited - 1_000) < 1);
    assert.ok((sampledTimes(asleepId, none, 1_000)?.waited ?? 1) < 1);
    const times = timesOf([busyId, asleepId, 2 ** 30], new Map(), 1);
    assert.deepEqual([...times.keys()], [busyId, asleepId]);
    if (countsWaiting()) assert.ok((times.get(busyId)?.ran ?? 0) > 0);
  } finally {
    busy.kill('SIGKILL');
    asleep.kill('SIGKILL');
  }
});

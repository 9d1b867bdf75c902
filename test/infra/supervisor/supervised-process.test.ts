import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ManagedProcess } from '../../../infra/supervisor/managed-process.ts';
import { identityOf, isAlive } from '../../../infra/supervisor/process-identity.ts';
import { SupervisedProcess } from '../../../infra/supervisor/supervised-process.ts';

let folder: string;
let lines: string[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'r1-supervised-'));
  lines = [];
});
afterEach(() => rmSync(folder, { recursive: true }));

function supervised(shell: string, change: Partial<ManagedProcess> = {}): SupervisedProcess {
  const spec: ManagedProcess = {
    name: 'it',
    role: 's3',
    command: '/bin/sh',
    args: ['-c', shell],
    cwd: folder,
    environment: { PATH: '/usr/bin:/bin' },
    isReady: () => Promise.resolve(true),
    ...change,
  };
  return new SupervisedProcess(spec, folder, {
    onChange: () => undefined,
    onProgress: (line) => lines.push(line),
  });
}

async function eventually(holds: () => boolean): Promise<void> {
  while (!holds()) await sleep(20);
}

test('it is ready once its probe says so', async () => {
  const process = supervised('sleep 0.3; touch ready; exec sleep 60', {
    isReady: () => Promise.resolve(existsSync(join(folder, 'ready'))),
  });
  await process.start();
  assert.ok(existsSync(join(folder, 'ready')));
  assert.equal(process.record.state, 'running');
  await process.stop();
});

test('one that dies is started again, saying so', async () => {
  const process = supervised('exec sleep 60');
  await process.start();
  const first = process.record.identity;
  assert.ok(first);
  globalThis.process.kill(first.pid, 'SIGKILL');
  await eventually(() => process.record.restarts === 1 && process.record.state === 'running');
  assert.notEqual(process.record.identity?.pid, first.pid);
  assert.match(lines[0] ?? '', /^it ended with SIGKILL; starting it again in 0\.5 s \(see .*it\.log\)$/);
  await process.stop();
});

test('one that never becomes ready is given up with the end of its log', async () => {
  const process = supervised('echo no disk left; exit 3', {
    isReady: () => Promise.reject(new Error('not yet')),
  });
  await assert.rejects(
    process.start(),
    /it: expected it to be ready, found that it ended with code 3, 3 times.*\n {2}no disk left/s,
  );
  assert.equal(process.record.state, 'stopped');
});

test('a command that is not there is an error, not a crash', async () => {
  const process = supervised('', { command: join(folder, 'nothing'), isReady: () => Promise.resolve(false) });
  await assert.rejects(process.start(), /could not be started: .*ENOENT/);
});

test('stopping leaves nothing of it, its children included', async () => {
  const process = supervised('sleep 60 & echo $! > child; touch ready; wait', {
    isReady: () => Promise.resolve(existsSync(join(folder, 'ready'))),
  });
  await process.start();
  const { identity } = process.record;
  assert.ok(identity);
  await process.stop();
  assert.equal(isAlive(identity), false);
  const child = Number(readFileSync(join(folder, 'child'), 'utf8'));
  await eventually(() => identityOf(child) === undefined);
  assert.equal(process.record.state, 'stopped');
});

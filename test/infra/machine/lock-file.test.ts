import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { dropLock, lockOwner, takeLock } from '../../../infra/machine/lock-file.ts';
import { identityOf, isAlive } from '../../../infra/supervisor/process-identity.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'r1-lock-'));
  path = join(folder, 'lock');
});
afterEach(() => rmSync(folder, { recursive: true }));

test('a lock has one holder, until it is given back', () => {
  assert.deepEqual(takeLock(path), { taken: true });
  assert.deepEqual(takeLock(path), { taken: false, owner: identityOf(process.pid) });
  dropLock(path);
  assert.equal(lockOwner(path), undefined);
  assert.deepEqual(readdirSync(folder), []);
});

test('the lock of a dead process is taken over', async () => {
  const child = spawn('sleep', ['60']);
  const identity = identityOf(child.pid ?? 0);
  assert.ok(identity);
  writeFileSync(path, JSON.stringify(identity));
  assert.deepEqual(takeLock(path), { taken: false, owner: identity });
  child.kill('SIGKILL');
  await once(child, 'exit');
  assert.deepEqual(takeLock(path), { taken: true });
});

test('a process with a recycled number is not mistaken for the holder', () => {
  writeFileSync(path, JSON.stringify({ pid: process.pid, startedAt: 'another time' }));
  assert.equal(isAlive({ pid: process.pid, startedAt: 'another time' }), false);
  assert.deepEqual(takeLock(path), { taken: true });
});

test('a lock that holds nonsense is taken over', () => {
  writeFileSync(path, 'half a li');
  assert.deepEqual(takeLock(path), { taken: true });
});

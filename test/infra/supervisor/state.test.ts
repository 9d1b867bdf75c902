import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { orphansOf } from '../../../infra/supervisor/orphans.ts';
import { identityOf, type ProcessIdentity } from '../../../infra/supervisor/process-identity.ts';
import { readState, readStateIfWhole, type StackState, StateFile } from '../../../infra/supervisor/state.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'r1-state-'));
  path = join(folder, 'state.json');
});
afterEach(() => rmSync(folder, { recursive: true }));

const living = identityOf(process.pid);
const gone: ProcessIdentity = { pid: process.pid, startedAt: 'another time' };

function state(supervisor: ProcessIdentity, server: ProcessIdentity): StackState {
  return {
    version: 1,
    supervisor,
    phase: 'running',
    error: null,
    progress: [],
    addresses: null,
    postgresData: null,
    processes: [
      {
        name: 's3',
        role: 's3',
        identity: server,
        state: 'running',
        restarts: 0,
        lastExit: null,
        log: 's3.log',
      },
    ],
  };
}

test('a state is read back as it was written, and nothing else is left in the folder', () => {
  assert.equal(readState(path), undefined);
  new StateFile(path, assert.fail).write(state(gone, gone));
  assert.deepEqual(readState(path), state(gone, gone));
  assert.deepEqual(readdirSync(folder), ['state.json']);
});

test('a state of another version is refused with what to do', () => {
  writeFileSync(path, JSON.stringify({ ...state(gone, gone), version: 2 }));
  assert.throws(() => readState(path), /state\.json: expected a document of this version.*r1 up.*r1 down/s);
});

test('a state file that holds anything else is refused with what to do, and can be gone on without', () => {
  for (const content of ['', '{', 'null', '[]', '\u0000\u0000', '{"version":1}']) {
    writeFileSync(path, content);
    assert.throws(() => readState(path), /state\.json: expected .* found .*r1 up.*r1 down/s);
    assert.equal(readStateIfWhole(path), undefined);
  }
});

test('a state that cannot be written is written as soon as it can be, and both are reported once', async () => {
  const lines: string[] = [];
  const later = join(folder, 'later');
  const file = new StateFile(join(later, 'state.json'), (line) => lines.push(line));
  for (let turn = 0; turn < 3; turn++) file.write(state(gone, gone));
  assert.equal(lines.length, 1);
  assert.match(lines[0] ?? '', /writing .*state\.json: .*Retrying/);
  mkdirSync(later);
  while (lines.length < 2) await sleep(50);
  file.close();
  assert.match(lines[1] ?? '', /can be written again, after \d+ s/);
  assert.deepEqual(readState(join(later, 'state.json')), state(gone, gone));
});

test('orphans are the living processes of a dead supervisor', () => {
  assert.ok(living);
  assert.deepEqual(orphansOf(folder, undefined), []);
  assert.deepEqual(orphansOf(folder, state(living, living)), []);
  assert.deepEqual(orphansOf(folder, state(gone, gone)), []);
  assert.deepEqual(orphansOf(folder, state(gone, living)), [{ name: 's3', role: 's3', identity: living }]);
});

const ONLY_LINUX = { skip: process.platform === 'linux' ? false : 'processes are looked up in /proc' };

test(
  'orphans that no record names are found by their home; other processes of that home are left',
  ONLY_LINUX,
  async () => {
    const environment = { R1_HOME: folder, R1_WORKER_NAME: 'trainer-2' };
    const start = (env: Record<string, string>, detached = true) =>
      spawn('sleep', ['60'], { env: { PATH: process.env.PATH, ...env }, detached, stdio: 'ignore' });
    const worker = start(environment);
    const others = [
      start({ ...environment, R1_HOME: `${folder}-other` }),
      start({ R1_HOME: folder }),
      start(environment, false),
    ];
    const all = [worker, ...others];
    await Promise.all(all.map((child) => once(child, 'spawn')));
    try {
      const identity = identityOf(worker.pid ?? 0);
      assert.deepEqual(orphansOf(folder, undefined), [{ name: 'trainer-2', role: 'trainer', identity }]);
    } finally {
      for (const child of all) child.kill('SIGKILL');
    }
  },
);

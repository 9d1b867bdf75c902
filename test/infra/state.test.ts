import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { orphansOf } from '../../infra/orphans.ts';
import { identityOf, type ProcessIdentity } from '../../infra/process-identity.ts';
import { readState, type StackState, writeState } from '../../infra/state.ts';

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
  writeState(path, state(gone, gone));
  assert.deepEqual(readState(path), state(gone, gone));
  assert.deepEqual(readdirSync(folder), ['state.json']);
});

test('a state of another version is refused with what to do', () => {
  writeFileSync(path, JSON.stringify({ ...state(gone, gone), version: 2 }));
  assert.throws(() => readState(path), /state\.json: expected a document of this version.*version.*r1 down/s);
});

test('orphans are the living processes of a dead supervisor', () => {
  assert.ok(living);
  assert.deepEqual(orphansOf(undefined), []);
  assert.deepEqual(orphansOf(state(living, living)), []);
  assert.deepEqual(orphansOf(state(gone, gone)), []);
  assert.deepEqual(orphansOf(state(gone, living)), [{ name: 's3', role: 's3', identity: living }]);
});

import assert from 'node:assert/strict';
import {
  appendFileSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { rotateLogs } from '../../../infra/supervisor/log-rotation.ts';

test('a log grown too large is cut while its writer holds it open, and few old ones are kept', () => {
  const folder = mkdtempSync(join(tmpdir(), 'r1-logs-'));
  const path = join(folder, 'server.log');
  appendFileSync(join(folder, 'small.log'), 'as it was');
  const writer = openSync(path, 'a');
  for (let turn = 0; turn < 6; turn++) {
    writeSync(writer, `${'x'.repeat(100)} turn ${turn}`);
    rotateLogs(folder, 100);
  }
  writeSync(writer, 'after');
  closeSync(writer);
  assert.deepEqual(readdirSync(folder).sort(), [
    'server.log',
    'server.log.1',
    'server.log.2',
    'server.log.3',
    'small.log',
  ]);
  assert.equal(readFileSync(path, 'utf8'), 'after');
  assert.match(readFileSync(`${path}.1`, 'utf8'), /turn 5$/);
  assert.match(readFileSync(`${path}.3`, 'utf8'), /turn 3$/);
  rmSync(folder, { recursive: true });
});

test('a log that cannot be copied stays as it is, with all older ones, and hinders no other', () => {
  const folder = mkdtempSync(join(tmpdir(), 'r1-logs-'));
  const content = 'x'.repeat(200);
  for (const name of ['a.log', 'b.log', 'a.log.1']) appendFileSync(join(folder, name), content);
  mkdirSync(join(folder, 'a.log.new'));
  appendFileSync(join(folder, 'a.log.new', 'in the way'), '');
  const errors = rotateLogs(folder, 100);
  assert.equal(errors.length, 1);
  assert.match(errors[0]?.message ?? '', /rotating .*a\.log: /);
  assert.equal(readFileSync(join(folder, 'a.log'), 'utf8'), content);
  assert.equal(readFileSync(join(folder, 'a.log.1'), 'utf8'), content);
  assert.equal(readFileSync(join(folder, 'b.log'), 'utf8'), '');
  rmSync(folder, { recursive: true });
});

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  choosePorts,
  DEFAULT_PORTS,
  isPortFree,
  readLastPorts,
  recordPorts,
} from '../../../infra/machine/ports.ts';

const allFree = () => Promise.resolve(true);
const allBut =
  (...held: number[]) =>
  (port: number) =>
    Promise.resolve(!held.includes(port));

test('on an idle machine each server has its default port', async () => {
  assert.deepEqual(await choosePorts({}, {}, allFree), DEFAULT_PORTS);
});

test('a held default gives way to the next free port, and no port is given twice', async () => {
  const ports = await choosePorts({}, {}, allBut(7233, 7234, 9333));
  assert.equal(ports.temporal, 7235);
  assert.equal(ports.master, 9334);
  assert.equal(new Set(Object.values(ports)).size, Object.keys(ports).length);
});

test('a port that a user named is not given to another server', async () => {
  const ports = await choosePorts({ s3: { port: 7233, variable: 'R1_PORT_S3' } }, {}, allFree);
  assert.equal(ports.s3, 7233);
  assert.equal(ports.temporal, 7234);
});

test('the ports of the last time are preferred', async () => {
  assert.equal((await choosePorts({}, { postgres: 50_001 }, allFree)).postgres, 50_001);
});

test('a named port in use is an error that names the port, its variable and its holder', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  const named = { postgres: { port: address.port, variable: 'R1_PORT_POSTGRES' } };
  const holder = process.platform === 'linux' ? `process ${process.pid} \\(` : 'another process';
  await assert.rejects(
    choosePorts(named, {}, isPortFree),
    new RegExp(`R1_PORT_POSTGRES=${address.port}: expected a free port, found it held by ${holder}`),
  );
  server.close();
});

test('recorded ports are read back', () => {
  const folder = mkdtempSync(join(tmpdir(), 'r1-ports-'));
  const path = join(folder, 'ports.json');
  assert.deepEqual(readLastPorts(path), {});
  recordPorts(path, { ...DEFAULT_PORTS, s3: 8334 });
  assert.equal(readLastPorts(path).s3, 8334);
  rmSync(folder, { recursive: true });
});

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { withFreePorts } from '../../../infra/machine/port-claims.ts';
import { choosePorts, DEFAULT_PORTS, isPortFree } from '../../../infra/machine/ports.ts';

test('stacks that start at the same moment all listen, no two of them at one port', async (t) => {
  const folder = folderOf(t);
  const children = [1, 2, 3].map(() => start(t, folder, 'listening'));
  const ports = (await Promise.all(children.map(chosenBy))).flat();
  assert.equal(new Set(ports).size, children.length * Object.keys(DEFAULT_PORTS).length);
});

test('a living stack keeps its ports while none of its servers listens; a dead one’s are free again', async (t) => {
  const folder = folderOf(t);
  const child = start(t, folder, 'silent');
  const [port = 0] = await chosenBy(child);
  const named = { temporal: { port, variable: 'R1_PORT_TEMPORAL' } };
  assert.deepEqual((await choosePorts(named, {}, isPortFree)).temporal, port);
  const choose = () =>
    withFreePorts({ named, last: {} }, t.signal, ({ temporal }) => Promise.resolve(temporal), folder);
  await assert.rejects(choose, new RegExp(`R1_PORT_TEMPORAL=${port}: expected a free port`));
  child.kill('SIGKILL');
  await once(child, 'exit');
  assert.equal(await choose(), port);
});

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'r1-claims-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

function start(t: TestContext, folder: string, listening: 'listening' | 'silent'): ChildProcess {
  const script = join(import.meta.dirname, 'choose-and-listen.ts');
  const child = spawn(process.execPath, ['--import', 'tsx', script, folder, listening], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => void child.kill('SIGKILL'));
  return child;
}

/** What it prints once it has chosen. */
async function chosenBy(child: ChildProcess): Promise<number[]> {
  assert.ok(child.stdout);
  const [line] = await once(child.stdout, 'data');
  return JSON.parse(String(line));
}

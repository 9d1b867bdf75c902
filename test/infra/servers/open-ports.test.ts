/** Every port and socket that the stack opens, and what somebody without a key gets there. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs';
import { connect as connectHttp2 } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { Connection } from '@temporalio/client';
import pg from 'pg';
import { connectionEnvironment } from '../../../infra/connections.ts';
import { type PortName, type Ports, readLastPorts } from '../../../infra/machine/ports.ts';
import { homePaths } from '../../../infra/paths.ts';
import { readSettings, type Settings } from '../../../infra/settings.ts';
import { type Stack, startStack, stopStack } from '../../../infra/stack.ts';
import { readState } from '../../../infra/supervisor/state.ts';
import { testSettings } from '../../helpers/stack.ts';
import { withDescendants } from '../../helpers/usage.ts';

const ONLY_LINUX = { skip: process.platform === 'linux' ? false : 'open ports are read from /proc' };

/** What a caller without keys is told at each port, by the way in which it asks. */
const ANSWERS: Record<PortName, (port: number) => Promise<string>> = {
  temporal: temporalAnswer,
  temporalUi: (port) => httpAnswer(port, 'GET', '/api/v1/namespaces'),
  temporalHttp: (port) => httpAnswer(port, 'POST', '/api/v1/namespaces/default/workflows/x/terminate'),
  temporalMetrics: (port) => httpAnswer(port, 'GET', '/metrics'),
  postgres: postgresAnswer,
  s3: (port) => httpAnswer(port, 'PUT', '/r1-runs/x'),
  s3Grpc: grpcAnswer,
  master: (port) => httpAnswer(port, 'GET', '/col/delete?collection=r1-runs'),
  masterGrpc: grpcAnswer,
  volume: (port) => httpAnswer(port, 'POST', '/1,01637037d6'),
  volumeGrpc: grpcAnswer,
  filer: (port) => httpAnswer(port, 'DELETE', '/buckets?recursive=true'),
  filerGrpc: grpcAnswer,
  admin: (port) => httpAnswer(port, 'GET', '/api/config'),
  adminGrpc: grpcAnswer,
};

/**
 * Temporal's development server can neither ask for a certificate nor for a password: docs/operations.md says so, and
 * so do `r1 status` and `r1 doctor`.
 */
const EXPECTED: Record<PortName, string> = {
  temporal: 'answers anyone',
  temporalUi: '200',
  temporalHttp: '403',
  temporalMetrics: '200',
  postgres: 'password required',
  s3: '403',
  s3Grpc: 'certificate required',
  master: '404',
  masterGrpc: 'certificate required',
  volume: '401',
  volumeGrpc: 'certificate required',
  filer: '404',
  filerGrpc: 'certificate required',
  admin: '404',
  adminGrpc: 'certificate required',
};

/** Its history, matching and worker services, at ports of its own choice. */
const TEMPORAL_INTERNAL = 3;

let stack: Stack;
let workers: Settings;
let listening: Socket[] = [];
const folder = mkdtempSync(join(tmpdir(), 'r1-ports-'));
const ports = () => readLastPorts(homePaths(testSettings().home).ports) as Ports;

before(async () => {
  if (ONLY_LINUX.skip) return;
  stack = await startStack({ settings: testSettings(), workers: false });
  const { PATH, HOME } = process.env;
  workers = readSettings({ PATH, HOME, R1_HOME: join(folder, 'workers'), ...connectionEnvironment(stack) });
  await startStack({ settings: workers, workers: true });
  listening = await socketsOf([testSettings(), workers]);
});

after(async () => {
  if (ONLY_LINUX.skip) return;
  await stopStack({ settings: workers });
  rmSync(folder, { recursive: true, force: true });
});

test('every listening port is one that is known, on the loopback', ONLY_LINUX, () => {
  const known = new Map(Object.entries(ports()).map(([name, port]) => [port, name]));
  const found = listening.flatMap((socket) => (socket.kind === 'unix' ? [] : [socket]));
  for (const { address, process, port } of found)
    assert.match(address, /^(0100007F|0{24}01000000)$/, `${process} listens at ${port} beyond the loopback`);
  const internal = found.filter(({ port }) => !known.has(port));
  assert.deepEqual(
    internal.map(({ process }) => process),
    Array(TEMPORAL_INTERNAL).fill('temporal'),
    `open ports that no line of this test answers for: ${JSON.stringify(internal)}`,
  );
  const named = found.flatMap(({ port }) => known.get(port) ?? []);
  assert.deepEqual(named.sort(), Object.keys(EXPECTED).sort());
});

test('a caller without keys gets at each port what is expected', ONLY_LINUX, async (t: TestContext) => {
  for (const [name, port] of Object.entries(ports()) as [PortName, number][]) {
    await t.test(name, async () => assert.equal(await ANSWERS[name](port), EXPECTED[name]));
  }
});

test('no web page of another origin is let in', ONLY_LINUX, async () => {
  // The volume server lets any page ask, and answers 401.
  const { s3, filer, master } = ports();
  for (const port of [s3, filer, master]) {
    const { headers } = await fetch(`http://127.0.0.1:${port}/r1-runs/x`, {
      method: 'OPTIONS',
      headers: { origin: 'http://page.example', 'access-control-request-method': 'PUT' },
    });
    const allowed = headers.get('access-control-allow-origin');
    assert.ok(allowed !== '*' && allowed !== 'http://page.example', `port ${port} allows ${allowed}`);
  }
  const ended = await fetch(
    `http://127.0.0.1:${ports().temporalUi}/api/v1/namespaces/default/workflows/x/terminate`,
    {
      method: 'POST',
      headers: { origin: 'http://page.example', 'content-type': 'text/plain' },
      body: '{}',
    },
  );
  assert.equal(ended.status, 400, 'the UI wants its own token with what changes something');
});

test('listening Unix sockets can be written to by their owner alone', ONLY_LINUX, () => {
  const paths = listening.flatMap((socket) => (socket.kind === 'unix' ? [socket.path] : []));
  assert.ok(paths.length > 0);
  for (const path of paths) assert.equal(statSync(path).mode & 0o022, 0, path);
});

type Socket = { process: string } & (
  | { kind: 'tcp'; address: string; port: number }
  | { kind: 'unix'; path: string }
);

/** The sockets at which the processes of these stacks, and whatever they started, listen. */
async function socketsOf(stacks: Settings[]): Promise<Socket[]> {
  const all = new Map([...tcpSockets(), ...unixSockets()]);
  const sockets: Socket[] = [];
  for (const { home } of stacks) {
    const state = readState(homePaths(home).state);
    const roots = [
      { name: 'supervisor', identity: state?.supervisor },
      ...(state?.processes ?? []).map(({ name, identity }) => ({ name, identity })),
    ];
    for (const { name, identity } of roots) {
      assert.ok(identity, `${name} does not run`);
      const own = name === 'supervisor' ? [identity.pid] : await withDescendants([identity.pid]);
      const inodes = new Set([...own].flatMap(inodesOf));
      for (const inode of inodes) {
        const socket = all.get(inode);
        if (socket !== undefined) sockets.push({ ...socket, process: name } as Socket);
      }
    }
  }
  return sockets;
}

type Found = [string, { kind: 'tcp'; address: string; port: number } | { kind: 'unix'; path: string }];

/** proc(5): local_address is column 1 (hex), the state column 3 (0A = listening), the inode column 9; UDP has no such state. */
function tcpSockets(): Found[] {
  return ['tcp', 'tcp6', 'udp', 'udp6'].flatMap((table) =>
    rowsOf(`/proc/net/${table}`).flatMap((columns): Found[] => {
      const [address = '', port = ''] = columns[1]?.split(':') ?? [];
      const listens = columns[3] === (table.startsWith('udp') ? '07' : '0A');
      return listens ? [[columns[9] ?? '', { kind: 'tcp', address, port: Number.parseInt(port, 16) }]] : [];
    }),
  );
}

/** The flags are column 3 (00010000 = listening), the inode column 6, the path column 7. */
function unixSockets(): Found[] {
  return rowsOf('/proc/net/unix').flatMap((columns): Found[] => {
    const path = columns[7];
    return columns[3] === '00010000' && path !== undefined
      ? [[columns[6] ?? '', { kind: 'unix', path }]]
      : [];
  });
}

const rowsOf = (path: string) =>
  readFileSync(path, 'utf8')
    .split('\n')
    .map((row) => row.trim().split(/\s+/));

function inodesOf(pid: number): string[] {
  const links = readdirSync(`/proc/${pid}/fd`).map((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`);
    } catch {
      return '';
    }
  });
  return links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []);
}

async function httpAnswer(port: number, method: string, path: string): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { method, redirect: 'manual' });
  await response.body?.cancel();
  return String(response.status);
}

async function temporalAnswer(port: number): Promise<string> {
  const connection = await Connection.connect({ address: `127.0.0.1:${port}` });
  await connection.workflowService.listNamespaces({});
  await connection.close();
  return 'answers anyone';
}

async function postgresAnswer(port: number): Promise<string> {
  const client = new pg.Client({ connectionString: `postgres://r1:guessed@127.0.0.1:${port}/r1` });
  client.on('error', () => undefined);
  return client.connect().then(
    () => 'answers anyone',
    (error: { code?: string }) => (error.code === '28P01' ? 'password required' : String(error.code)),
  );
}

/** Neither plain gRPC nor TLS without a certificate of the server's own is answered. */
async function grpcAnswer(port: number): Promise<string> {
  const plain = await http2Answer(`http://127.0.0.1:${port}`);
  const encrypted = await http2Answer(`https://127.0.0.1:${port}`);
  if (!plain.startsWith('no answer')) return `plain gRPC: ${plain}`;
  return /certificate required|CERTIFICATE_REQUIRED/.test(encrypted) ? 'certificate required' : encrypted;
}

function http2Answer(origin: string): Promise<string> {
  return new Promise((resolve) => {
    const session = connectHttp2(origin, { rejectUnauthorized: false, ALPNProtocols: ['h2'] });
    const end = (answer: string) => {
      session.destroy();
      resolve(answer);
    };
    session.once('error', (error) => end(`no answer: ${error.message}`));
    session.once('close', () => end('no answer: closed'));
    const stream = session.request({
      ':method': 'POST',
      ':path': '/x/Y',
      'content-type': 'application/grpc',
    });
    stream.once('response', (headers) => end(`answered ${headers[':status']}`));
    stream.once('error', (error) => end(`no answer: ${error.message}`));
    stream.end();
  });
}

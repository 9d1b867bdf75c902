import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { Client, Connection } from '@temporalio/client';
import pg from 'pg';
import { homePaths } from '../../infra/paths.ts';
import { readSettings } from '../../infra/settings.ts';
import { ensureWorkers, findStack, type Stack, startStack, stopStack } from '../../infra/stack.ts';
import { isAlive } from '../../infra/supervisor/process-identity.ts';
import { readState, type StackState } from '../../infra/supervisor/state.ts';

process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';

const folder = mkdtempSync(join(tmpdir(), 'r1-stack-'));
const { PATH, HOME } = process.env;
const settings = readSettings({ PATH, HOME, R1_HOME: join(folder, 'home') });
const paths = homePaths(settings.home);

/** For a machine with much else to do; none of it is waited for in vain. */
const PATIENCE = { timeout: 180_000 };

/** A worker that does nothing but live. */
const IDLE = join(folder, 'idle.ts');

let stack: Stack;
const told: string[] = [];

before(async () => {
  writeFileSync(
    IDLE,
    'setInterval(() => undefined, 1000); console.log(process.env.R1_DATABASE_URL !== undefined);',
  );
  const up = { settings, workers: false, onProgress: (line: string) => told.push(line) };
  const [first, second] = await Promise.all([startStack(up), startStack(up)]);
  assert.deepEqual(pids(first), pids(second), 'two starts at once make one stack');
  stack = first;
});

after(async () => {
  await stopStack({ settings, purge: true });
  rmSync(folder, { recursive: true, force: true });
});

test('a running stack is found, not started again', async () => {
  const again = await startStack({ settings, workers: false });
  assert.deepEqual(pids(again), pids(stack));
  assert.deepEqual(findStack(settings), again);
});

test('what is recorded and logged holds no secret, and what holds one is the owner’s alone', () => {
  const secrets = [new URL(stack.postgres.url).password, stack.s3.accessKeyId, stack.s3.secretAccessKey];
  const open = [paths.state, ...readdirSync(paths.logs).map((name) => join(paths.logs, name))];
  for (const path of open) {
    const content = readFileSync(path, 'utf8');
    for (const secret of secrets) assert.ok(!content.includes(secret), `${path} holds a secret`);
  }
  assert.equal(statSync(paths.secrets).mode & 0o777, 0o600);
  assert.equal(statSync(paths.socket).mode & 0o777, 0o600);
});

test('the namespace keeps runs 30 days and has the search attributes', async () => {
  const connection = await Connection.connect({ address: stack.temporal.address });
  const namespace = stack.temporal.namespace;
  const { config } = await connection.workflowService.describeNamespace({ namespace });
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  await connection.close();
  assert.equal(Number(config?.workflowExecutionRetentionTtl?.seconds), 30 * 24 * 3600);
  for (const name of ['R1Run', 'R1Stage', 'R1Step', 'R1Reward', 'R1Status']) {
    assert.ok(customAttributes && name in customAttributes, `${name} is missing`);
  }
});

test(
  'servers and workers that are killed come back with their data, and their restart is recorded',
  PATIENCE,
  async () => {
    await ensureWorkers([{ name: 'idle', role: 'trainer', module: IDLE }], settings);
    await writeEverywhere();
    const killed = recorded().processes;
    for (const { identity } of killed) process.kill(identity?.pid ?? 0, 'SIGKILL');
    await eventually(() => recorded().processes.every((p) => p.state === 'running' && p.restarts === 1));
    for (const { name, lastExit } of recorded().processes) assert.equal(lastExit?.signal, 'SIGKILL', name);
    await readEverywhere();
  },
);

test(
  'after the supervisor itself is killed, the next start finds what it left, stops it and starts anew',
  PATIENCE,
  async () => {
    const before = recorded();
    process.kill(before.supervisor.pid, 'SIGKILL');
    await eventually(() => !isAlive(before.supervisor));
    assert.equal(findStack(settings), undefined);
    const lines: string[] = [];
    stack = await startStack({ settings, workers: false, onProgress: (line) => lines.push(line) });
    assert.ok(lines.some((line) => line.includes('postgres') && line.includes('was left by a supervisor')));
    for (const { identity } of before.processes) assert.ok(identity === null || !isAlive(identity));
    await readEverywhere();
  },
);

test('a broken state file is written anew by the supervisor that runs', PATIENCE, async () => {
  writeFileSync(paths.state, '{"version":');
  assert.throws(() => findStack(settings), /state\.json: expected .*r1 up.*r1 down/s);
  const again = await startStack({ settings, workers: false });
  assert.deepEqual(pids(again), pids(stack));
  assert.deepEqual(findStack(settings), again);
});

test('with a broken state file and no supervisor, down still finds what was left, and up starts anew', {
  ...PATIENCE,
  skip: process.platform === 'linux' ? false : 'processes are looked up in /proc',
}, async () => {
  await ensureWorkers([{ name: 'idle', role: 'trainer', module: IDLE }], settings);
  const before = recorded();
  process.kill(before.supervisor.pid, 'SIGKILL');
  await eventually(() => !isAlive(before.supervisor));
  writeFileSync(paths.state, 'nonsense');
  assert.equal(await stopStack({ settings }), true);
  for (const { identity, name } of before.processes) assert.ok(identity === null || !isAlive(identity), name);
  stack = await startStack({ settings, workers: false });
  await readEverywhere();
});

test('down ends every process; purge leaves nothing', async () => {
  const before = recorded();
  assert.equal(await stopStack({ settings }), true);
  const ends = [before.supervisor, ...before.processes.flatMap(({ identity }) => identity ?? [])];
  for (const identity of ends) assert.ok(!isAlive(identity));
  assert.equal(recorded().phase, 'stopped');
  assert.equal(await stopStack({ settings, purge: true }), false);
  assert.ok(!existsSync(settings.home), `${settings.home} is left`);
});

function recorded(): StackState {
  const state = readState(paths.state);
  assert.ok(state, `no state under ${dirname(paths.state)}`);
  return state;
}

function pids({ processes }: Stack): (number | undefined)[] {
  return processes.map(({ identity }) => identity?.pid);
}

async function eventually(holds: () => boolean): Promise<void> {
  while (!holds()) await sleep(50);
}

async function writeEverywhere(): Promise<void> {
  await query('CREATE TABLE kept AS SELECT 37 AS step');
  await s3().send(new PutObjectCommand({ Bucket: stack.s3.bucket, Key: 'kept/step', Body: '37' }));
  const client = await temporal();
  await client.workflow.start('kept', { workflowId: 'r1/kept', taskQueue: 'nobody' });
  await client.connection.close();
}

async function readEverywhere(): Promise<void> {
  assert.deepEqual(await query('SELECT step FROM kept'), [{ step: 37 }]);
  const object = await s3().send(new GetObjectCommand({ Bucket: stack.s3.bucket, Key: 'kept/step' }));
  assert.equal(await object.Body?.transformToString(), '37');
  const client = await temporal();
  const { status } = await client.workflow.getHandle('r1/kept').describe();
  await client.connection.close();
  assert.equal(status.name, 'RUNNING');
}

async function query(sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: stack.postgres.url });
  await client.connect();
  const { rows } = await client.query(sql);
  await client.end();
  return rows;
}

function s3(): S3Client {
  const { endpoint, region, forcePathStyle, accessKeyId, secretAccessKey } = stack.s3;
  return new S3Client({
    endpoint,
    region,
    forcePathStyle,
    maxAttempts: 1,
    credentials: { accessKeyId, secretAccessKey },
  });
}

async function temporal(): Promise<Client> {
  return new Client({ connection: await Connection.connect({ address: stack.temporal.address }) });
}

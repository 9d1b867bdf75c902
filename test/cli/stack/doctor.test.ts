import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { doctorText, runChecks } from '../../../cli/stack/doctor.ts';
import { doctorDocument } from '../../../contracts/documents.ts';
import { readSettings } from '../../../infra/settings.ts';

const HOME = join(tmpdir(), `r1-doctor-${process.pid}`);

async function checked(given: Record<string, string> = {}) {
  const { PATH } = process.env;
  const checks = await runChecks(
    readSettings({ PATH, R1_HOME: HOME, R1_CACHE: join(HOME, 'cache'), ...given }),
  );
  const stateOf = (name: string) => checks.find((check) => check.name === name) ?? assert.fail(name);
  return { checks, stateOf };
}

test('a machine on which these tests run lacks nothing that is required, and is left as it was', async () => {
  const { checks, stateOf } = await checked();
  assert.deepEqual(
    checks.filter(({ state }) => state === 'missing'),
    [],
  );
  for (const name of ['node', 'engine', 'postgresql']) assert.equal(stateOf(name).state, 'ok');
  assert.ok(!existsSync(HOME));
  const document = { ready: true, checks };
  assert.deepEqual(doctorDocument.parse(document), document);
});

test('what will not do is told together with what to do', async (t) => {
  const port = await heldPort(t);
  const { checks, stateOf } = await checked({
    R1_TEMPORAL_BIN: '/nowhere/temporal',
    R1_PORT_S3: String(port),
    R1_DATABASE_URL: 'postgres://u:secret@db.example/r1',
  });
  for (const name of ['temporal', 'ports']) {
    assert.equal(stateOf(name).state, 'missing');
    assert.notEqual(stateOf(name).next, null);
  }
  assert.match(stateOf('ports').found, new RegExp(`R1_PORT_S3=${port} is in use`));
  const text = doctorText({ ready: false, checks });
  assert.match(text, /✗ temporal .*\/nowhere\/temporal/);
  assert.ok(!text.includes('secret'));
});

function heldPort(t: TestContext): Promise<number> {
  const server = createServer();
  t.after(() => server.close());
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : assert.fail());
    });
  });
}

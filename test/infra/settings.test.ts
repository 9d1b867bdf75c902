import assert from 'node:assert/strict';
import { test } from 'node:test';
import { environmentFor, readSettings, SettingsError } from '../../infra/settings.ts';

test('with nothing set, everything is local and lies under the project', () => {
  const settings = readSettings({});
  assert.ok(settings.home.endsWith('/.r1'));
  assert.equal(settings.temporal.address, undefined);
  assert.equal(settings.postgres.url, undefined);
  assert.equal(settings.s3.endpoint, undefined);
  assert.equal(settings.s3.forcePathStyle, true);
  assert.equal(settings.trainers, 1);
});

test('an empty variable counts as unset', () => {
  assert.equal(readSettings({ R1_PORT_S3: '' }).s3.port, undefined);
});

test('every wrong variable is named with what was expected and what was found', () => {
  const wrong = { R1_PORT_TEMPORAL: '70000', R1_THREADS: 'two', R1_TRAINERS: '0', R1_S3_BUCKET: 'R1' };
  assert.throws(
    () => readSettings(wrong),
    (error: unknown) => {
      assert.ok(error instanceof SettingsError);
      assert.match(error.message, /R1_PORT_TEMPORAL: expected a port number from 1 to 65535, found "70000"/);
      assert.match(error.message, /R1_THREADS: expected a number of threads from 1 to 1024, found "two"/);
      assert.match(error.message, /R1_TRAINERS: expected a number of trainers from 1 to 64, found "0"/);
      assert.match(error.message, /R1_S3_BUCKET: expected a bucket name: .*found "R1"/);
      return true;
    },
  );
});

test('nothing makes the local servers listen beyond the loopback', () => {
  const refused = {
    R1_PORT_TEMPORAL: '0.0.0.0:7233',
    R1_PORT_TEMPORAL_UI: '192.168.1.5:8233',
    R1_PORT_POSTGRES: '*:5432',
    R1_PORT_S3: '[::]:8333',
    R1_TEMPORAL_ADDRESS: '0.0.0.0:7233',
    R1_DATABASE_URL: 'postgres://me:hush@0.0.0.0:5432/r1',
    R1_S3_ENDPOINT: 'http://[::]:8333',
  };
  for (const [name, value] of Object.entries(refused)) {
    assert.throws(
      () => readSettings({ [name]: value }),
      (error: Error) =>
        error instanceof SettingsError &&
        error.message.includes(`${name}: expected`) &&
        error.message.includes('listen on 127.0.0.1 only') &&
        !error.message.includes('hush'),
      name,
    );
  }
});

test('servers elsewhere may be anywhere', () => {
  const elsewhere = { R1_TEMPORAL_ADDRESS: '192.168.1.5:7233', R1_DATABASE_URL: 'postgres://me@10.0.0.2/r1' };
  const { temporal, postgres } = readSettings(elsewhere);
  assert.equal(temporal.address, elsewhere.R1_TEMPORAL_ADDRESS);
  assert.equal(postgres.url, elsewhere.R1_DATABASE_URL);
});

test('an error does not show a secret', () => {
  assert.throws(
    () => readSettings({ R1_DATABASE_URL: 'mysql://me:hush@host/db' }),
    (error: Error) => error.message.includes('R1_DATABASE_URL') && !error.message.includes('hush'),
  );
});

test('another S3 needs its keys', () => {
  assert.throws(
    () => readSettings({ R1_S3_ENDPOINT: 'http://s3.example:9000', R1_S3_ACCESS_KEY_ID: 'key' }),
    /R1_S3_SECRET_ACCESS_KEY not set/,
  );
});

test('a child process is handed the same settings, whatever this process was started with', () => {
  const settings = readSettings({ R1_HOME: '/tmp/elsewhere', R1_PORT_POSTGRES: '55555' });
  const { variables: _, ...handed } = readSettings({ ...environmentFor(settings), PATH: '' });
  const { variables: __, ...given } = settings;
  assert.deepEqual(
    { ...handed, cache: given.cache, searchPath: given.searchPath },
    { ...given, home: '/tmp/elsewhere' },
  );
});

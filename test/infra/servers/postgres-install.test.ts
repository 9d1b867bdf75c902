import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import {
  canReach,
  makeReachable,
  postgresBinaries,
  postgresDataFolder,
} from '../../../infra/servers/postgres-install.ts';

/** A user who owns nothing here. */
const STRANGER = { uid: 65_123, gid: 65_123 };

test('a folder behind a closed one cannot be reached by a stranger, but by its owner', () => {
  const root = mkdtempSync(join(tmpdir(), 'r1-reach-'));
  const inner = join(root, 'closed', 'inner');
  makeReachable(inner);
  chmodSync(root, 0o755);
  assert.equal(canReach(inner, STRANGER), true);
  chmodSync(join(root, 'closed'), 0o700);
  assert.equal(canReach(inner, STRANGER), false);
  const { uid, gid } = statSync(inner);
  assert.equal(canReach(inner, { uid, gid }), true);
  rmSync(root, { recursive: true });
});

test('data go where PostgreSQL’s user reaches them', () => {
  const root = mkdtempSync(join(tmpdir(), 'r1-data-'));
  const preferred = join(root, 'postgres');
  mkdirSync(preferred);
  assert.equal(postgresDataFolder(preferred, root, undefined), preferred);
  assert.match(postgresDataFolder(preferred, root, STRANGER), /^\/var\/lib\/durable-r1\/[0-9a-f]{12}$/);
  chmodSync(root, 0o755);
  assert.equal(postgresDataFolder(preferred, root, STRANGER), preferred);
  rmSync(root, { recursive: true });
});

test('PostgreSQL’s programs come with the package for this platform', () => {
  const programs = postgresBinaries(undefined, () => undefined);
  for (const name of ['postgres', 'initdb']) assert.ok(existsSync(join(programs, name)), dirname(programs));
});

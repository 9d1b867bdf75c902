/** Homes that cannot be: one clear error each, at once. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { prepareHome } from '../../../infra/machine/file-errors.ts';
import { PROJECT_ROOT } from '../../../infra/paths.ts';
import { mountSmallDisk } from '../../helpers/small-disk.ts';

const folder = mkdtempSync(join(tmpdir(), 'r1-home-'));
const at = (name: string) => join(folder, name);
after(() => rmSync(folder, { recursive: true, force: true }));

writeFileSync(at('file'), '');
symlinkSync(at('loop'), at('loop'));
symlinkSync(at('nowhere/deep'), at('dangling'));

/** A home → what is found there. */
const IMPOSSIBLE: Record<string, RegExp> = {
  [at('file')]: /something else has its name|a file is where a folder is expected/,
  [at('file/below')]: /a file is where a folder is expected/,
  [at('file/far/below')]: /a file is where a folder is expected/,
  [at('loop/home')]: /symbolic links form a loop/,
  [at('dangling')]: /something else has its name|missing/,
  [at('x'.repeat(300))]: /its name is too long/,
  ...(process.platform === 'linux'
    ? {
        '/dev/null': /is where/,
        '/proc/no-such-folder': /missing|does not allow|may not|read-only/,
        '/proc/no-such-folder/deep/home': /missing|does not allow|may not|read-only/,
        '/sys/no-such-folder': /missing|does not allow|may not|read-only/,
      }
    : {}),
};

for (const [home, found] of Object.entries(IMPOSSIBLE)) {
  test(`R1_HOME=${home.slice(0, 60)} is refused`, () => refusesHome(home, found));
}

test('a folder without the right to write is refused', (t: TestContext) => {
  if (process.getuid?.() === 0) return t.skip('root may write everywhere');
  mkdirSync(at('closed'), { mode: 0o500 });
  refusesHome(at('closed'), /this user has no permission/);
  refusesHome(at('closed/home'), /this user has no permission/);
});

test('a read-only file system is refused', (t: TestContext) => {
  const disk = mountSmallDisk(at('read-only'), 1, 'ro');
  if (disk === undefined) return t.skip('this user may not mount');
  try {
    refusesHome(disk.folder, /its file system is read-only/);
    refusesHome(join(disk.folder, 'home'), /its file system is read-only/);
  } finally {
    disk.unmount();
  }
});

test('a full disk is refused', (t: TestContext) => {
  const disk = mountSmallDisk(at('full'), 1);
  if (disk === undefined) return t.skip('this user may not mount');
  try {
    disk.fill();
    refusesHome(disk.folder, /its disk has no free space/);
    disk.empty();
    prepareHome(disk.folder);
  } finally {
    disk.unmount();
  }
});

test('a command says so within seconds, and one that only looks says that nothing runs', () => {
  const home = at('file/below');
  const up = r1(home, 'up');
  assert.equal(up.status, 1);
  assert.match(
    up.stderr,
    /^error: R1_HOME=.*: expected a folder that this user can write to, found at .*\/file: a file is where/,
  );
  assert.equal(up.stderr.trim().split('\n').length, 1);
  for (const command of ['status', 'runs', 'down']) {
    const { stderr, stdout } = r1(home, command);
    assert.match(stderr + stdout, /not running/, command);
  }
});

function refusesHome(home: string, found: RegExp): void {
  assert.throws(
    () => prepareHome(home),
    (error: Error) => {
      assert.equal(error.name, 'StackError');
      assert.ok(error.message.startsWith(`R1_HOME=${home}: expected a folder`), error.message);
      assert.match(error.message, found);
      assert.match(error.message, /or set R1_HOME to another folder\.$/);
      return true;
    },
  );
}

function r1(home: string, command: string) {
  const { PATH, HOME } = process.env;
  return spawnSync(process.execPath, [join(PROJECT_ROOT, 'cli', 'r1.mjs'), command], {
    encoding: 'utf8',
    timeout: 60_000,
    env: { PATH, HOME, R1_HOME: home },
  });
}

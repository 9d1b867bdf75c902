import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  ownFolder,
  parseCgroupMounts,
  parseOwnCgroups,
  upToMount,
} from '../../../rewards/code/cgroup-layout.ts';

test('mounts of both versions are read, with the part that a container shows', () => {
  const mounts = parseCgroupMounts(
    [
      '30 23 0:26 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:9 - cgroup cgroup rw,cpu,cpuacct',
      '31 23 0:27 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory',
      '32 23 0:28 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw,nsdelegate',
      '33 23 0:29 / /tmp rw - tmpfs tmpfs rw',
    ].join('\n'),
  );
  assert.deepEqual(
    mounts.map(({ version, mountPoint, root }) => [version, mountPoint, root]),
    [
      [1, '/sys/fs/cgroup/cpu,cpuacct', '/'],
      [1, '/sys/fs/cgroup/memory', '/docker/abc'],
      [2, '/sys/fs/cgroup/unified', '/'],
    ],
  );
  assert.ok(mounts[0]?.controllers.includes('cpuacct'));
});

test('the process’s own group is found below its mount', () => {
  const own = parseOwnCgroups('5:memory:/docker/abc/x\n3:cpu,cpuacct:/\n0::/user.slice/a:b.scope\n');
  assert.deepEqual(own[1], { controllers: ['cpu', 'cpuacct'], path: '/' });
  assert.equal(own[2]?.path, '/user.slice/a:b.scope');
  const mount = { version: 1 as const, controllers: ['memory'], mountPoint: '/m', root: '/docker/abc' };
  assert.equal(ownFolder(mount, '/docker/abc/x'), '/m/x');
  assert.equal(ownFolder(mount, '/docker/abc'), '/m');
  assert.equal(ownFolder(mount, '/elsewhere'), '/m');
  assert.equal(ownFolder({ ...mount, root: '/' }, '/'), '/m');
});

test('ancestors are listed up to the mount and not beyond', () => {
  assert.deepEqual(upToMount('/sys/fs/cgroup/a/b', '/sys/fs/cgroup'), [
    '/sys/fs/cgroup/a/b',
    '/sys/fs/cgroup/a',
    '/sys/fs/cgroup',
  ]);
  assert.deepEqual(upToMount('/sys/fs/cgroup', '/sys/fs/cgroup'), ['/sys/fs/cgroup']);
});

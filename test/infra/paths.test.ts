import assert from 'node:assert/strict';
import { test } from 'node:test';
import { socketPath } from '../../infra/paths.ts';

test('the socket lies in the home where its path is short enough for one', () => {
  assert.equal(socketPath('/home/me/durable-r1/.r1', '/tmp'), '/home/me/durable-r1/.r1/control.sock');
});

test('the socket of a home with a long path lies in the temporary folder, one for each home', () => {
  const long = `/home/${'deep/'.repeat(30)}.r1`;
  assert.match(socketPath(long, '/tmp'), /^\/tmp\/r1-[0-9a-f]{12}\.sock$/);
  assert.notEqual(socketPath(long, '/tmp'), socketPath(`${long}x`, '/tmp'));
});

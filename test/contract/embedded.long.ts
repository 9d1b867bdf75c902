import { test } from 'node:test';
import { openCase } from './case.ts';
import { testFrozen } from './cases/crashes.ts';
import { embedded } from './embedded.ts';

test('a frozen embedded trainer', { timeout: 10 * 60_000 }, async (t) => {
  await testFrozen(t, await openCase(t, embedded));
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inStopOrder } from '../../../infra/supervisor/managed-process.ts';
import { ROLES } from '../../../infra/supervisor/state.ts';

test('workers stop first, together, then Temporal, then S3, then PostgreSQL', () => {
  const turns = inStopOrder(ROLES.map((role) => ({ role })));
  assert.deepEqual(
    turns.map((turn) => turn.map(({ role }) => role)),
    [['orchestrator', 'trainer', 'rewards'], ['temporal'], ['s3'], ['postgres']],
  );
});

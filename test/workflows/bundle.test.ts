import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DefaultLogger } from '@temporalio/worker';
import { workflowBundle } from '../../workers/workflow-bundle.ts';

test('the workflows bundle for the sandbox: nothing they import needs Node', async () => {
  const { code } = await workflowBundle(new DefaultLogger('ERROR'));
  for (const name of ['trainingRun', 'reinforcementStage'])
    assert.ok(code.includes(name), `expected ${name} in the bundle`);
  // The bundler replaces what the sandbox lacks by a module that throws; its name would show here.
  assert.doesNotMatch(code, /require\("node:/);
});

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { workflowBundle } from '../../workers/workflow-bundle.ts';

/** Histories of real runs, as `temporal workflow show --output json` prints them. */
const folder = join(import.meta.dirname, '..', 'replay');

test('histories of earlier runs replay: a change that would break a running workflow fails here', async () => {
  const logger = new DefaultLogger('ERROR');
  Runtime.install({ logger });
  const histories = readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .map((name) => ({ workflowId: name, history: JSON.parse(readFileSync(join(folder, name), 'utf8')) }));
  assert.ok(histories.length >= 2);
  const replayed = Worker.runReplayHistories({ workflowBundle: await workflowBundle(logger) }, histories);
  for await (const { workflowId, error } of replayed)
    assert.equal(error, undefined, `${workflowId}: ${error}`);
});

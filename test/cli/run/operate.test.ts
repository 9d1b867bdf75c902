import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unfinishedStage } from '../../../cli/run/operate.ts';
import type { ShowDocument } from '../../../contracts/documents.ts';
import { showFixture } from '../fixtures.ts';

type Status = ShowDocument['stages'][number]['status'];

function showOf(status: ShowDocument['status'], ...statuses: Status[]): ShowDocument {
  const show = showFixture({ status });
  const [stage] = show.stages;
  assert.ok(stage);
  return { ...show, stages: statuses.map((each) => ({ ...stage, stage: `is-${each}`, status: each })) };
}

test('the unfinished stage of a run is the running one, else a paused or parked one, else the next', () => {
  const unfinished = (...statuses: Status[]) => unfinishedStage(showOf('running', ...statuses)).stage;
  assert.equal(unfinished('complete', 'parked', 'running', 'pending'), 'is-running');
  assert.equal(unfinished('complete', 'parked', 'pending'), 'is-parked');
  assert.equal(unfinished('complete', 'pending'), 'is-pending');
});

test('of parallel stages the parked one is retried, though another is running', () => {
  const show = showOf('running', 'complete', 'running', 'parked', 'pending');
  assert.equal(unfinishedStage(show, ['parked', 'paused']).stage, 'is-parked');
});

test('a run that has ended has no unfinished stage', () => {
  assert.throws(() => unfinishedStage(showOf('complete', 'complete')), { message: /it is complete/ });
});

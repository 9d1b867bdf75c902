import assert from 'node:assert/strict';
import { test } from 'node:test';
import { standingStage } from '../../../cli/run/operate.ts';
import type { ShowDocument } from '../../../contracts/documents.ts';
import { showFixture } from '../fixtures.ts';

type Status = ShowDocument['stages'][number]['status'];

function showOf(status: ShowDocument['status'], ...statuses: Status[]): ShowDocument {
  const show = showFixture({ status });
  const [stage] = show.stages;
  assert.ok(stage);
  return { ...show, stages: statuses.map((each) => ({ ...stage, stage: `is-${each}`, status: each })) };
}

test('a run stands in the stage under way, else in one at rest, else in the next', () => {
  const standing = (...statuses: Status[]) => standingStage(showOf('running', ...statuses)).stage;
  assert.equal(standing('complete', 'parked', 'running', 'pending'), 'is-running');
  assert.equal(standing('complete', 'parked', 'pending'), 'is-parked');
  assert.equal(standing('complete', 'pending'), 'is-pending');
});

test('of stages side by side the parked one is tried again, though another is under way', () => {
  const show = showOf('running', 'complete', 'running', 'parked', 'pending');
  assert.equal(standingStage(show, ['parked', 'paused']).stage, 'is-parked');
});

test('a run that has ended stands nowhere', () => {
  assert.throws(() => standingStage(showOf('complete', 'complete')), { message: /it is complete/ });
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { localWorkers, workerProcess } from '../../../infra/supervisor/workers.ts';

test('the local stack has one worker of each role', () => {
  assert.deepEqual(
    localWorkers().map(({ name }) => name),
    ['orchestrator', 'trainer', 'rewards'],
  );
});

test('more trainers have names of their own, which their processes are told', () => {
  const trainers = localWorkers(3).filter(({ role }) => role === 'trainer');
  assert.deepEqual(
    trainers.map(({ name, module }) => [name, module]),
    [
      ['trainer', 'workers/trainer.ts'],
      ['trainer-2', 'workers/trainer.ts'],
      ['trainer-3', 'workers/trainer.ts'],
    ],
  );
  const told = trainers.map((spec) => workerProcess(spec, {}).environment?.R1_WORKER_NAME);
  assert.deepEqual(told, ['trainer', 'trainer-2', 'trainer-3']);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LiveLine } from '../../../cli/run/live-line.ts';
import { followRun, type RunSource } from '../../../cli/run/watch.ts';
import { Failure } from '../../../contracts/failures.ts';
import { evaluationFixture, showFixture, stepFixture } from '../fixtures.ts';

function recorder(): LiveLine & { lines: string[]; said: string[] } {
  const lines: string[] = [];
  const said: string[] = [];
  return { lines, said, show: (text) => lines.push(text), say: (text) => said.push(text), end: () => {} };
}

/** A run that moves by one state a look; a state may be an error. */
function moving(states: (ReturnType<typeof showFixture> | Error)[]): RunSource {
  let index = 0;
  return {
    show: async () => {
      const state = states[Math.min(index++, states.length - 1)];
      if (state === undefined || state instanceof Error) throw state;
      return state;
    },
    recentSteps: async () => [stepFixture({ step: 1 })],
    progress: async () => null,
  };
}

const follow = (states: Parameters<typeof moving>[0], signal = new AbortController().signal) => {
  const line = recorder();
  return { line, done: followRun(moving(states), { line, signal, pollMilliseconds: 1 }) };
};

test('a run is followed until it is complete', async () => {
  const { line, done } = follow([
    showFixture({ status: 'running', step: 1 }),
    showFixture({ status: 'running', step: 4 }),
    showFixture({ status: 'complete', step: 4 }),
  ]);
  assert.equal((await done).status, 'complete');
  assert.match(line.lines.join('\n'), /step 1\/4.*\n.*step 4\/4.*$/);
});

test('a parked stage ends the following', async () => {
  const { done } = follow([showFixture({ status: 'running', stageStatus: 'parked', reason: 'no memory' })]);
  assert.equal((await done).stages[0]?.reason, 'no memory');
});

test('a database that is away is waited for and told once', async () => {
  const away = new Failure('Unavailable', 'PostgreSQL cannot be reached');
  const { line, done } = follow([
    showFixture({ status: 'running' }),
    away,
    away,
    away,
    showFixture({ status: 'complete' }),
  ]);
  await done;
  assert.deepEqual(line.said, ['waiting: PostgreSQL cannot be reached', 'the database answers again']);
});

test('an error that waiting cannot fix ends the watching', async () => {
  const { done } = follow([new Failure('InvalidInput', 'refused')]);
  await assert.rejects(done, { name: 'InvalidInput' });
});

test('an evaluation is told once, when it is new', async () => {
  const base = evaluationFixture({ stage: 'base', step: 0 });
  const quick = evaluationFixture({ stage: 'zero', step: 2 });
  const { line, done } = follow([
    showFixture({ status: 'running', evaluations: [base] }),
    showFixture({ status: 'running', evaluations: [base, quick] }),
    showFixture({ status: 'complete', evaluations: [base, quick] }),
  ]);
  await done;
  assert.deepEqual(line.said, [
    'zero at step 2: pass@1 42.0 % (40.0–44.0 %), length 31.5, format 90 %, reflects 20 % (64 × 4 samples)',
  ]);
});

test('stages side by side are followed together', async () => {
  const show = showFixture({ status: 'running' });
  const [stage] = show.stages;
  assert(stage !== undefined);
  const stages = ['distill/small', 'control/small'].map((name) => ({ ...stage, stage: name }));
  const { line, done } = follow([{ ...show, stages }, showFixture({ status: 'complete' })]);
  await done;
  assert.match(line.lines[0] ?? '', /^distill\/small 1\/4 .* \| control\/small 1\/4 /);
});

test('Ctrl-C ends the following at once', async () => {
  const controller = new AbortController();
  const { done } = follow([showFixture({ status: 'running' })], controller.signal);
  controller.abort();
  await assert.rejects(done, { name: 'Interrupted' });
});

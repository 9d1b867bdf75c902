import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Client, Connection, WorkflowFailedError } from '@temporalio/client';
import { ActivityFailure, ApplicationFailure } from '@temporalio/common';
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import type { AddModelVerdictsInput } from '../../contracts/activities.ts';
import { Failure, type FailureKind } from '../../contracts/failures.ts';
import { queues } from '../../contracts/workflows.ts';
import { createNamespace } from '../contract/temporal.ts';
import { withStack } from '../helpers/stack.ts';
import { reference } from '../stores/helpers.ts';

const scoring = { model: reference('model'), sequences: reference('sequences') };
const answer = { version: 2, scores: reference('model-scores'), seconds: 1.5 };
const failed = (kind: FailureKind) => {
  const { message, retryable } = new Failure(kind, kind);
  return ApplicationFailure.create({ type: kind, message, nonRetryable: !retryable });
};

/** Answers of workers that score, in turn; an error is thrown. */
const CASES: Record<string, { answers: unknown[]; refused?: RegExp; calls: number }> = {
  'a right answer': { answers: [answer], calls: 1 },
  'two workers that stop': { answers: [failed('TrainerLost'), failed('TrainerLost'), answer], calls: 3 },
  'a server that is away': { answers: [failed('Unavailable'), answer], calls: 2 },
  'workers that all stop': {
    answers: Array.from({ length: 9 }, () => failed('TrainerLost')),
    refused: /^TrainerLost: TrainerLost/,
    calls: 5,
  },
  'no scores': {
    answers: [{ version: 2, seconds: 1 }],
    refused: /^BrokenContract: score: .*scores/,
    calls: 1,
  },
  'seconds that are not a number': {
    answers: [{ ...answer, seconds: Number.NaN }],
    refused: /^BrokenContract: .*seconds/,
    calls: 1,
  },
  'another field': { answers: [{ ...answer, extra: 1 }], refused: /^BrokenContract: .*extra/, calls: 1 },
  'a later version': {
    answers: [{ ...answer, version: 3 }],
    refused: /^UnknownVersion: score: .*version 3/,
    calls: 1,
  },
};

test('a worker that scores is believed by the contract alone, and another one takes over where it stops', async (t) => {
  const logger = new DefaultLogger('ERROR');
  Runtime.install({ logger });
  const stack = await withStack(t);
  const { address } = stack.temporal;
  const namespace = `scoring-${stack.id}`;
  const connection = await Connection.connect({ address });
  await createNamespace(connection, namespace);
  const native = await NativeConnection.connect({ address });
  const workflowsPath = fileURLToPath(new URL('./model-scoring-workflow.ts', import.meta.url));
  const workflowBundle = await bundleWorkflowCode({ workflowsPath, logger });
  let calls: unknown[] = [];
  let answers: unknown[] = [];
  let joined: AddModelVerdictsInput | null = null;
  const common = { connection: native, namespace };
  const workers = await Promise.all([
    Worker.create({ ...common, taskQueue: queues.orchestrator, workflowBundle }),
    Worker.create({
      ...common,
      taskQueue: queues.rewards,
      activities: {
        prepareScoring: async ({ reward }: { reward: { name: string } }) => ({
          scoring: reward.name === 'helpfulness' ? scoring : null,
        }),
        addModelVerdicts: async (input: AddModelVerdictsInput) => {
          joined = input;
          return { scores: reference('joined') };
        },
      },
    }),
    Worker.create({
      ...common,
      taskQueue: queues.score,
      activities: {
        score: async (input: unknown) => {
          calls.push(input);
          const next = answers.shift();
          if (next instanceof Error) throw next;
          return next;
        },
      },
    }),
  ]);
  const running = workers.map((worker) => worker.run());
  t.after(async () => {
    for (const worker of workers) worker.shutdown();
    await Promise.all(running);
    await native.close();
    await connection.close();
  });
  const client = new Client({ connection, namespace });
  const byModel = ['helpfulness', 'safety'].map((name) => ({ name, weight: 1 }));
  const input = {
    key: { run: 'r', stage: 'scenario-rl' },
    rollout: reference('rollout'),
    scores: reference('scores'),
    byModel,
    what: 'step 1',
  };
  for (const [name, { answers: given, refused, calls: expected }] of Object.entries(CASES))
    await t.test(name, async () => {
      [calls, answers, joined] = [[], [...given], null];
      const workflowId = name.replaceAll(' ', '-');
      const result = client.workflow.execute('addScoresByModel', {
        args: [input],
        taskQueue: queues.orchestrator,
        workflowId,
        workflowTaskTimeout: '60 seconds',
      });
      if (refused === undefined) {
        assert.deepEqual(await result, { scores: reference('joined'), seconds: 1.5 });
        // A reward that concerns no prompt of the shard is not scored.
        const scored = [{ ...scoring, scores: answer.scores }, null];
        assert.deepEqual(joined, {
          scores: input.scores,
          byModel: byModel.map((reward, n) => ({ reward, scored: scored[n] })),
        });
      } else {
        const error = await result.then(() => assert.fail('expected a refusal'), innermost);
        assert.match(`${error.type}: ${error.message}`, refused);
        assert.equal(joined, null);
      }
      assert.deepEqual(
        calls,
        Array.from({ length: expected }, () => ({ version: 2, ...scoring })),
      );
    });
});

function innermost(error: unknown): ApplicationFailure {
  const cause = error instanceof WorkflowFailedError ? error.cause : error;
  const inner = cause instanceof ActivityFailure ? cause.cause : cause;
  assert(inner instanceof ApplicationFailure, String(inner));
  return inner;
}

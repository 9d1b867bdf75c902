import assert from 'node:assert/strict';
import { test } from 'node:test';
import { evaluationDocument } from '../../../contracts/documents.ts';
import { forkBranch } from '../../../stores/runs/rewind.ts';
import { listEvaluations, type NewEvaluation, recordEvaluation } from '../../../stores/steps/evaluations.ts';
import { claim, databaseWithRun, evaluationFigures, failure, KEY, reference, train } from '../helpers.ts';

const evaluation = (
  step: number,
  { as = 'zero', quick = false, rollout = 'rollout' } = {},
): NewEvaluation => ({
  key: KEY,
  as,
  step,
  quick,
  rollout: reference(rollout),
  scores: reference('scores'),
  checkpoint: null,
  verifiers: { accuracy: 1 },
  alarms: [],
  figures: evaluationFigures,
});

test('an evaluation is listed as its document says', async (t) => {
  const database = await databaseWithRun(t);
  await recordEvaluation(database, evaluation(0, { as: 'base' }));
  await recordEvaluation(database, evaluation(4, { quick: true }));
  const [listed, ...more] = await listEvaluations(database, KEY.run);
  assert.deepEqual(more, []);
  assert.deepEqual(evaluationDocument.parse(listed), { stage: 'base', step: 0, ...evaluation(0).figures });
  assert.equal((await listEvaluations(database, KEY.run, { quick: true })).length, 2);
});

test('an evaluation committed again is the same; of other completions it is a contradiction', async (t) => {
  const database = await databaseWithRun(t);
  const first = await recordEvaluation(database, evaluation(4));
  assert.deepEqual(await recordEvaluation(database, evaluation(4)), first);
  const other = recordEvaluation(database, evaluation(4, { rollout: 'other' }));
  await assert.rejects(other, failure('Contradiction', 's3://bucket/rollout', 's3://bucket/other'));
});

test('each branch has its own evaluations, and all share that of the base', async (t) => {
  const database = await databaseWithRun(t);
  await train(database, 1, 4, await claim(database));
  await recordEvaluation(database, evaluation(0, { as: 'base' }));
  await recordEvaluation(database, evaluation(4));
  await forkBranch(database, KEY, 2);
  await recordEvaluation(database, evaluation(0, { as: 'base' }));
  await recordEvaluation(database, evaluation(4, { rollout: 'of the new branch' }));
  const listed = (await listEvaluations(database, KEY.run)).map(
    ({ stage, branch, step }) => `${stage}/${branch}/${step}`,
  );
  assert.deepEqual(listed.sort(), ['base/0/0', 'zero/0/4', 'zero/1/4']);
});

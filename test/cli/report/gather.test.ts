import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildDataset } from '../../../activities/orchestrator/examples/build-dataset.ts';
import { selectSamples } from '../../../activities/orchestrator/examples/select-samples.ts';
import { gatherReport } from '../../../cli/report/gather.ts';
import { recordEvaluation } from '../../../stores/steps/evaluations.ts';
import { right, rule, sampledPart, storesWithRun, wrong } from '../../activities/sampled-part.ts';
import { BRANCH, claim, evaluationFigures, KEY, train } from '../../stores/helpers.ts';

test('a report is gathered from a run’s rows and objects, finished or not', async (t) => {
  const stores = await storesWithRun(t);
  const part = await sampledPart(stores, 0, [right('a'), wrong, right('b'), right('c')]);
  await train(stores.database, 1, 3, await claim(stores.database));
  await selectSamples(stores, { ...part, spent: { tokensSampled: 32, sampling: 5, scoring: 0.5 } });
  await buildDataset(stores, { key: BRANCH, name: 'calm/zero', rule, parts: 1, include: [] });
  await recordEvaluation(stores.database, {
    ...{
      key: KEY,
      as: 'base',
      step: 0,
      quick: false,
      checkpoint: null,
      verifiers: { accuracy: 1 },
      alarms: [],
      checkpoints: [],
      figures: evaluationFigures,
    },
    ...{ rollout: part.rollout, scores: part.scores },
    spent: { tokensSampled: 82, sampling: 7, scoring: 0.25 },
  });
  const link = (workflowId: string) => `http://ui/${workflowId}`;
  const data = await gatherReport({ ...stores, link }, KEY.run);
  assert.deepEqual(
    data.steps.map(({ step }) => step),
    [1, 2, 3],
  );
  assert.deepEqual(
    data.funnels.map(({ stage, from, counts }) => [stage, from, counts.sampled, counts.kept]),
    [['zero', 'zero', 4, 3]],
  );
  assert.deepEqual(
    data.answers.flatMap(({ responses }) => responses.map(({ policy, correct }) => [policy, correct])),
    [
      ['base', true],
      ['base', true],
    ],
  );
  assert.equal(data.answers[0]?.responses[0]?.parts?.thinking, 'a');
  assert.equal(data.links.run, 'http://ui/r1/calm');
  assert.deepEqual(
    data.costs.map(({ wallSeconds: _, ...cost }) => cost),
    [
      {
        stage: 'zero',
        ...{ sampling: 9 + 5, scoring: 1.5 + 0.5, training: 9, evaluating: 7.25, saving: 0, other: 0.75 },
        ...{ tokensSampled: 180 + 32, tokensForExamples: 32, tokensEvaluated: 82, tokensTrained: 90 },
      },
    ],
  );
  assert.deepEqual([...data.budgets], []);
});

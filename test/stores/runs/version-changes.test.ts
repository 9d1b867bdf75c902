import assert from 'node:assert/strict';
import { test } from 'node:test';
import { verifierChanges, verifierChangeText } from '../../../algorithm/run/verifier-changes.ts';
import {
  listNumericsChanges,
  listVerifierChanges,
  verifierChangeAt,
} from '../../../stores/runs/version-changes.ts';
import { commitBatch } from '../../../stores/steps/batches.ts';
import { recordEvaluation } from '../../../stores/steps/evaluations.ts';
import { recordStep } from '../../../stores/steps/steps.ts';
import {
  at,
  BRANCH,
  batchOf,
  claimedRun,
  evaluationFigures,
  KEY,
  numerics,
  reference,
  stepOf,
} from '../helpers.ts';

test('a reward that did not judge in between is compared with the version that judged last', () => {
  const changes = verifierChanges([
    { step: 1, verifiers: { accuracy: 1, format: 1 } },
    { step: 2, verifiers: { format: 1 } },
    { step: 3, verifiers: { accuracy: 2, format: 1, length: 4 } },
    { step: 4, verifiers: { accuracy: 2, format: 3 } },
    { step: 5, verifiers: { accuracy: 1 } },
  ]);
  assert.deepEqual(changes, [
    { step: 3, before: { accuracy: 1 }, after: { accuracy: 2 } },
    { step: 4, before: { format: 1 }, after: { format: 3 } },
    { step: 5, before: { accuracy: 2 }, after: { accuracy: 1 } },
  ]);
  assert.deepEqual(changes.map(verifierChangeText), [
    'accuracy version 1 → 2',
    'format version 1 → 3',
    'accuracy version 2 → 1',
  ]);
});

test('the first batch or evaluation that another verifier judged is listed, in the order of the steps', async (t) => {
  const { database, term } = await claimedRun(t, 2);
  assert.deepEqual(await listVerifierChanges(database, BRANCH), []);
  await commitBatch(database, { ...batchOf(3, term), verifiers: { accuracy: 2 } });
  await recordStep(database, stepOf(3, term));
  assert.deepEqual(await verifierChangeAt(database, at(2)), null);
  const changed = { step: 3, before: { accuracy: 1 }, after: { accuracy: 2 } };
  assert.deepEqual(await verifierChangeAt(database, at(3)), changed);
  await recordEvaluation(database, {
    key: KEY,
    as: KEY.stage,
    step: 3,
    quick: true,
    rollout: reference('rollout'),
    scores: reference('scores'),
    checkpoint: null,
    figures: evaluationFigures,
    verifiers: { accuracy: 2, format: 1 },
    alarms: [],
  });
  await commitBatch(database, { ...batchOf(4, term), verifiers: { accuracy: 2, format: 2 } });
  const later = { step: 4, before: { format: 1 }, after: { format: 2 } };
  assert.deepEqual(await listVerifierChanges(database, BRANCH), [changed, later]);
  assert.deepEqual(await verifierChangeAt(database, at(4)), later);
});

test('a numerics change has the numerics before and after it', async (t) => {
  const { database, term } = await claimedRun(t, 2);
  assert.deepEqual(await listNumericsChanges(database, BRANCH), []);
  const after = { ...numerics, threads: 8 };
  await commitBatch(database, batchOf(3, term));
  const { result, ...step } = stepOf(3, term);
  await recordStep(database, { ...step, result: { ...result, numerics: after }, seam: true });
  assert.deepEqual(await listNumericsChanges(database, BRANCH), [{ step: 3, before: numerics, after }]);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { finalReport } from '../../cli/final-report.ts';
import { evaluationSchema } from '../../contracts/options.ts';
import { reportFixture } from './report/fixtures.ts';

const { show, costs, evaluations } = reportFixture();
const finished = {
  show: {
    ...show,
    evaluations: evaluations.filter(({ quick }) => !quick),
    finishedAt: '2024-05-01T12:06:04.000Z',
  },
  recipe: {
    evaluation: evaluationSchema.parse({ max_completion_length: 128 }),
    prompts: { source: 'nano-sums', terms: 4, limit: 20, train: 2000, test: 256, seed: 1 } as const,
  },
  costs,
};

test('a finished run is told as the paper’s table, beside the paper’s own figures', () => {
  const text = finalReport(finished);
  assert.match(text, /^small-1 is complete: 8 stages, \d+ steps in 6:04\./);
  for (const row of ['Base +base', 'R1-Zero +zero', 'Dev1 +cold-start-sft', 'Control small +control/small'])
    assert.match(text, new RegExp(`^${row} `, 'm'));
  assert.match(text, /^Dev1 +cold-start-sft +78\.0 % +75\.0–81\.0 % .* 59\.0$/m);
});

test('its tables fit a terminal of 120 columns', () => {
  const tables = finalReport(finished)
    .split('\n')
    .filter((line) => !line.includes('s3://'));
  assert.deepEqual(
    tables.filter((line) => line.length > 120),
    [],
  );
});

test('the checkpoint told is R1’s, not the last student’s or its control’s', () => {
  const stages = finished.show.stages.map((stage) => ({
    ...stage,
    checkpoint: { uri: `s3://r1-runs/${stage.stage}/manifest.json`, digest: 'ab'.repeat(32) },
  }));
  const text = finalReport({ ...finished, show: { ...finished.show, stages } });
  assert.match(text, /^Checkpoint {2}s3:\/\/r1-runs\/scenario-rl\/manifest\.json$/m);
});

test('cost stands beside its budget where stages have one', () => {
  assert.doesNotMatch(finalReport(finished), /budget/);
  const text = finalReport({ ...finished, budgets: new Map([['zero', 4]]) });
  assert.match(text, /^stage +wall +budget +sampling/m);
  assert.match(text, /^zero +1:35 +4:00 +0:31 /m);
});

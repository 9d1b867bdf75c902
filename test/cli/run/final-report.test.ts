import assert from 'node:assert/strict';
import { test } from 'node:test';
import { finalReport } from '../../../cli/run/final-report.ts';
import { evaluationSchema } from '../../../contracts/options.ts';
import { reportFixture } from '../report/fixtures.ts';

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

const own = {
  ...finished,
  recipe: { ...finished.recipe, prompts: { source: 'jsonl', path: 'own.jsonl' } as const },
};

test('a run of somebody’s own model is told without the paper, and asks its own questions', () => {
  const text = finalReport({ ...own, question: 'What is 6 times 7?' });
  assert.doesNotMatch(text, /AIME|paper|7\+15|12 times 13/);
  assert.match(text, /generate small-1 --chat --prompt 'What is 6 times 7\?'$/m);
  for (const question of [null, "Ann's age?", 'a\nb', 'x'.repeat(200)])
    assert.match(finalReport({ ...own, question }), /--prompt 'YOUR QUESTION'$/m);
});

test('a recipe can ask for the paper’s figures, and a model without a chat template is asked plainly', () => {
  const recipe = { ...own.recipe, compare_with_paper: true, prompt_format: 'text' as const };
  const text = finalReport({ ...own, recipe });
  assert.match(text, /AIME 2024/);
  assert.match(text, /generate small-1 --prompt '/);
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

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { curvesOf, thinned } from '../../../cli/report/curves.ts';
import { factsOf, funnelBars } from '../../../cli/report/facts.ts';
import { html } from '../../../cli/report/html.ts';
import { reportPage } from '../../../cli/report/page.ts';
import { domainRows, policiesOf } from '../../../cli/report/policies.ts';
import { reportSummary } from '../../../cli/report/summary.ts';
import { showFixture } from '../fixtures.ts';
import { reportFixture } from './fixtures.ts';

const alarm = {
  stage: 'zero',
  branch: 0,
  step: 7,
  name: 'no-variance',
  value: 1,
  threshold: 0.9,
  action: 'note',
  text: 'all | equal',
} as const;

test('the table has base, the stages under the paper’s names, students before and after, controls', () => {
  assert.deepEqual(
    policiesOf(reportFixture()).map(({ title }) => title),
    ['Base', 'R1-Zero', 'Dev1', 'Dev2', 'Dev3', 'R1', 'Untrained small', 'Student small', 'Control small'],
  );
});

test('policies that are measured on several domains are told by domain', () => {
  const solved = (passAt1: number) => ({
    problems: 8,
    passAt1,
    passAt1Interval: [0, 1] as [number, number],
  });
  const plain = reportFixture();
  assert.equal(domainRows(policiesOf(plain)), null);
  const [base = assert.fail(), ...others] = plain.evaluations;
  const byDomain = { math: solved(0.5), logic: solved(0.25) };
  const data = { ...plain, evaluations: [{ ...base, byDomain }, ...others] };
  assert.deepEqual(domainRows(policiesOf(data)), {
    head: ['policy', 'logic', 'math'],
    rows: [['Base', '25.0 % (0.0–100.0 %)', '50.0 % (0.0–100.0 %)']],
  });
  assert.match(reportSummary(data), /### pass@1 by domain\n\n\| policy \| logic \| math \|/);
});

test('a report of somebody’s own model has nothing of the paper’s', () => {
  const data = reportFixture({ withPaper: false });
  for (const text of [reportPage(data), reportSummary(data)]) {
    assert.match(text, /The policies of this run/);
    assert.doesNotMatch(
      text.replaceAll(/--paper|class="paper"|\.paper|<style>[\s\S]*<\/style>/g, ''),
      /paper|AIME|MATH-500|77\.9/,
    );
  }
  assert.match(reportSummary(data), /\| R1-Zero \| zero \| 40 \| 97\.0 % \|/);
});

test('the page fetches nothing and runs nothing', () => {
  const page = reportPage(reportFixture());
  assert.match(page, /content="default-src &#39;none&#39;; style-src &#39;unsafe-inline&#39;"/);
  assert.doesNotMatch(page, /<script|<img|<link|<iframe|@import|url\(/);
});

test('what a model wrote stays text, whatever it says', () => {
  const hostile = '</pre><script>alert(1)</script><img src=x onerror=alert(1)>\u202e&amp;\u001b[2J';
  const [prompt] = reportFixture().answers;
  const [response] = prompt?.responses ?? [];
  assert(prompt !== undefined && response !== undefined);
  const parts = { thinking: hostile, final: hostile, answer: hostile };
  const responses = [
    { ...response, text: hostile, parts: null },
    { ...response, text: hostile, parts },
  ];
  const data = reportFixture({ answers: [{ ...prompt, problem: hostile, answer: hostile, responses }] });
  const page = reportPage(data);
  assert.doesNotMatch(page, /<script|<img|&amp;amp;amp/);
  assert.match(page, /&lt;script&gt;alert\(1\)&lt;\/script&gt;/);
  assert(!page.includes('\u202e') && !page.includes('\u001b'));
});

test('a template escapes what is put into it, but for what another made', () => {
  assert.equal(
    html`<b title="${'"'}">${'<i>'}${html`<i>`}${null}${[1, '&']}</b>`.source,
    '<b title="&quot;">&lt;i&gt;<i>1&amp;</b>',
  );
});

test('a run that has just begun has a report too', () => {
  const begun = showFixture({ status: 'running', step: 0 });
  const nothing = { evaluations: [], steps: [], costs: [], funnels: [], answers: [] };
  const data = reportFixture({ ...nothing, show: begun });
  assert.match(
    reportPage(data),
    /<td class="text">R1-Zero<\/td><td class="text">zero<\/td><td class="">–<\/td>/,
  );
  assert.match(reportSummary(data), /\| R1-Zero \| zero \| – \|/);
});

test('a stage has the curves that its rows fill, from where it starts', () => {
  const titles = curvesOf(reportFixture(), 'cold-start-sft').map(({ title }) => title);
  assert(titles.includes('Loss') && !titles.includes('Reward'));
  const accuracy = curvesOf(reportFixture(), 'zero').find(({ title }) => title === 'Accuracy');
  assert.deepEqual(
    accuracy?.dots.map(({ step, value, quick }) => [step, value, quick]),
    [
      [0, 0.137, false],
      [20, 0.54, true],
      [40, 0.97, false],
    ],
  );
  const rewards = curvesOf(reportFixture(), 'zero').find(({ title }) => title === 'Reward');
  assert.deepEqual(
    rewards?.lines.map(({ name }) => name),
    ['sum', 'accuracy', 'format', 'language'],
  );
});

test('a supervised stage has no curve of two dots: before and after are in the table', () => {
  const titles = curvesOf(reportFixture(), 'distill/small').map(({ title }) => title);
  assert.deepEqual(titles, ['Loss']);
});

test('an alarm stands on the curve that raised it', () => {
  const data = reportFixture();
  const curves = curvesOf({ ...data, show: { ...data.show, alarms: [alarm] } }, 'zero');
  assert.deepEqual(
    curves.flatMap(({ title, alarms }) => alarms.map((step) => [title, step])),
    [['Reward', 7]],
  );
});

test('a reward model’s curve ends in what it was measured at', () => {
  const data = reportFixture();
  const stages = data.show.stages.map((stage) =>
    stage.algorithm === 'reward-model' ? { ...stage, measure: { accuracy: 0.92, pairs: 200 } } : stage,
  );
  const steps = data.steps.map((step) => ({ ...step, accuracy: 0.7 }));
  const [curve] = curvesOf({ ...data, steps, show: { ...data.show, stages } }, 'reward-model/safety');
  assert.deepEqual(
    [curve?.title, curve?.dots],
    ['Pairs ranked correctly', [{ step: 20, value: 0.92, quick: false }]],
  );
});

test('the head says in a line what came of the run', () => {
  const { show } = reportFixture();
  const data = reportFixture({ show: { ...show, finishedAt: '2024-05-01T12:06:04.000Z' } });
  assert.deepEqual(factsOf(data), [
    'pass@1 13.7 % → 98.0 % (R1)',
    '254 steps in 6:04',
    '6.5M tokens sampled, 6.5M trained',
  ]);
});

test('a long line is averaged to a bounded number of points', () => {
  const points = Array.from({ length: 10_400 }, (_, n) => ({ step: n, value: 1 }));
  const line = thinned(points, 240);
  assert(line.length <= 240 && line.every(({ value }) => value === 1));
});

test('the funnel goes from sampled to kept by the rules in their order, and to what joined', () => {
  const [funnel] = reportFixture().funnels;
  assert(funnel !== undefined);
  assert.deepEqual(
    funnelBars(funnel).map(({ name, value }) => `${name} ${value}`),
    [
      'sampled 2400',
      'correct 2051',
      'refused: mixed-language 41',
      'refused: near-duplicate 577',
      'refused: over-quota 400',
      'kept 1033',
      'joined from elsewhere 600',
    ],
  );
});

test('the summary holds the table, the funnel, cost and alarms', () => {
  const { show } = reportFixture();
  const summary = reportSummary(reportFixture({ show: { ...show, alarms: [alarm] } }));
  assert.match(
    summary,
    /\| R1-Zero \| zero \| 40 \| 97\.0 % \| 94\.0–100\.0 % \|.*\| 77\.9 \| 95\.9 \| 46\.6 \|/,
  );
  assert.match(summary, /sampled 2400 → correct 2051/);
  assert.match(summary, /- zero, step 7: alarm no-variance \(note\): all \\\| equal/);
});

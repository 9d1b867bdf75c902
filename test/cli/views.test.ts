import assert from 'node:assert/strict';
import { test } from 'node:test';
import { count, duration, percent, short } from '../../cli/figures.ts';
import { createLiveLine } from '../../cli/live-line.ts';
import { progressText } from '../../cli/progress-text.ts';
import { comparisonText, runsText, showText, stepsText } from '../../cli/run-view.ts';
import { evaluationFixture, showFixture, stepFixture } from './fixtures.ts';

const snapshot = {
  stage: 'zero',
  step: 37,
  steps: 90,
  recent: [stepFixture({ step: 36 }), stepFixture({ step: 37 })],
  evaluation: evaluationFixture({ step: 20 }),
  phase: 'training',
  detail: '',
};

test('the live line says step, reward, pass@1, length, kl, speed and the time left', () => {
  assert.equal(
    progressText(snapshot),
    'zero  step 37/90 · reward 1.31 · pass@1 0.42 (step 20) · length 48 · kl 0.0040 · 10k tok/s · 2 min left',
  );
});

test('before any evaluation the line shows the training accuracy under its own name', () => {
  assert.match(progressText({ ...snapshot, evaluation: null }), / · train accuracy 0\.41 · /);
});

test('before the first step the line says what the stage is doing', () => {
  const first = { ...snapshot, step: 0, recent: [] };
  assert.equal(
    progressText({ ...first, phase: 'acquiring a trainer' }),
    'zero  step 0/90 · acquiring a trainer',
  );
  assert.equal(progressText({ ...first, phase: null }), 'zero  step 0/90 · waiting for a worker');
});

test('what is neither sampling nor training stands at the end of the line', () => {
  assert.match(
    progressText({ ...snapshot, phase: 'evaluating', detail: 'step 40' }),
    / · evaluating: step 40$/,
  );
});

test('figures are rounded for people', () => {
  assert.deepEqual([412, 9_800, 26_812, 1_500_000].map(count), ['412', '9.8k', '27k', '1.5M']);
  assert.deepEqual([40, 240, 7_500].map(duration), ['40 s', '4 min', '2 h 5 min']);
  assert.deepEqual([percent(null), short(null)], ['–', '–']);
});

test('a parked stage is shown with its reason', () => {
  const text = showText(
    showFixture({ status: 'running', stageStatus: 'parked', reason: 'out of memory' }),
    null,
  );
  assert.match(text, /zero is parked: out of memory\n`r1 retry small-1` tries again/);
});

test('a paused stage is shown with where and by whom, and how it goes on', () => {
  const show = showFixture({ status: 'paused', stageStatus: 'paused', reason: 'at step 1, by ada' });
  assert.match(showText(show, null), /zero is paused: at step 1, by ada\n`r1 resume small-1` goes on; /);
});

test('live changes and seams of a stage are shown', () => {
  const numerics = {
    engine: 'onnxruntime',
    version: '1',
    device: 'cpu',
    instructionSet: 'avx2',
    threads: 1,
    deterministic: true,
  };
  const text = showText(
    showFixture({
      status: 'running',
      stageOf: {
        changes: [{ effectiveStep: 3, field: 'learning_rate', value: 1e-4, author: 'ada' }],
        seams: [{ step: 2, before: numerics, after: { ...numerics, threads: 2 } }],
      },
    }),
    null,
  );
  assert.match(text, /zero +learning_rate +0\.0001 +3 +ada/);
  assert.match(
    text,
    /seam in zero at step 2: onnxruntime 1 on cpu \(avx2, 1 thread\) → .*\(avx2, 2 threads\)/,
  );
});

test('tables have a line a row, without borders or trailing blanks', () => {
  const lines = stepsText([stepFixture(), stepFixture({ step: 2, seam: true })]).split('\n');
  assert.equal(lines.length, 3);
  assert.match(lines[2] ?? '', /^zero +2 .* seam$/);
  assert.doesNotMatch(lines.join('\n'), / $/m);
});

test('without runs the list says how to launch one', () => {
  assert.match(runsText([]), /r1 launch/);
});

test('the final table sets R1-Zero beside its base', () => {
  const base = evaluationFixture({
    stage: 'base',
    step: 0,
    passAt1: 0.1,
    passAt1Interval: [0.08, 0.12],
    k: 16,
  });
  const text = comparisonText(base, evaluationFixture({ step: 90, k: 16 }));
  assert.match(text, /pass@1 \(95 % interval\) +10\.0 % +\(8\.0–12\.0 %\) +42\.0 % +\(40\.0–44\.0 %\)/);
  assert.match(text, /cons@16/);
});

test('without a terminal the line is printed now and then, and its last state at the end', () => {
  const written: string[] = [];
  let time = 0;
  const stream = { isTTY: false, write: (text: string) => written.push(text) > 0 };
  const line = createLiveLine(stream as never, () => time);
  for (const text of ['a', 'b', 'c']) line.show(text);
  time = 6_000;
  for (const text of ['d', 'e']) line.show(text);
  line.end();
  assert.deepEqual(written, ['a\n', 'd\n', 'e\n']);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clock, count, duration, percent, short } from '../../../cli/output/figures.ts';
import { createLiveLine } from '../../../cli/run/live-line.ts';
import { progressMilestone, progressText, type StageSnapshot } from '../../../cli/run/progress-text.ts';
import { runsText, showText, stepsText } from '../../../cli/run/show.ts';
import { evaluationFixture, showFixture, stepFixture } from '../fixtures.ts';

const snapshotFixture = (of: Partial<StageSnapshot> = {}): StageSnapshot => ({
  stage: 'zero',
  algorithm: 'grpo',
  step: 37,
  steps: 90,
  recent: [stepFixture({ step: 36 }), stepFixture({ step: 37 })],
  evaluation: evaluationFixture({ step: 20 }),
  phase: 'training',
  detail: '',
  ...of,
});
const textOf = (of: Partial<StageSnapshot> = {}) => progressText([snapshotFixture(of)]);

test('the live line says step, reward, pass@1, length, kl, speed and the time left', () => {
  assert.equal(
    textOf(),
    'zero  step 37/90 · reward 1.31 · pass@1 0.42 (step 20) · length 48 · kl 0.0040 · 10k tok/s · 2 min left',
  );
});

test('until a stage is measured its line shows the accuracy of what it starts from, under its name', () => {
  assert.match(textOf({ stage: 'reasoning-rl' }), / · pass@1 0\.42 \(zero\) · /);
});

test('before any evaluation the line shows the training accuracy under its own name', () => {
  assert.match(textOf({ evaluation: null }), / · train accuracy 0\.41 · /);
});

test('a supervised stage shows loss and learning rate, and no accuracy of another stage', () => {
  const recent = [stepFixture({ loss: 0.0312, learningRate: 2e-4 })];
  const of = { stage: 'cold-start-sft', algorithm: 'sft', recent } as const;
  assert.equal(textOf(of), 'cold-start-sft  step 37/90 · loss 0.031 · rate 2.0e-4 · 10k tok/s · 2 min left');
});

test('a reward model shows how many of its batch it ranks rightly', () => {
  const of = { stage: 'reward-model/safety', algorithm: 'reward-model', evaluation: null } as const;
  assert.match(textOf(of), /37\/90 · ranks 41 % correctly · loss 0\.001 · rate 1\.0e-4 · /);
});

test('stages side by side share the line', () => {
  const student = snapshotFixture({ stage: 'distill/small', algorithm: 'sft', step: 0, recent: [] });
  const waiting = { ...student, phase: 'waiting for a trainer' };
  const control = snapshotFixture({ stage: 'control/small', step: 12, steps: 40 });
  assert.equal(
    progressText([waiting, control]),
    'distill/small waiting | control/small 12/40 reward 1.31 · 56 s left',
  );
});

test('before the first step the line says what the stage is doing', () => {
  const first = { step: 0, recent: [] };
  assert.equal(textOf({ ...first, phase: 'acquiring a trainer' }), 'zero  step 0/90 · acquiring a trainer');
  assert.equal(textOf({ ...first, phase: null }), 'zero  step 0/90 · waiting for a worker');
  assert.equal(textOf({ ...first, phase: undefined }), 'zero  step 0/90 · starting');
});

test('what is neither sampling nor training stands at the end of the line', () => {
  assert.match(textOf({ phase: 'evaluating', detail: 'step 40' }), / · evaluating: step 40$/);
});

test('every tenth of the way is a milestone, and another stage is one', () => {
  const at = (of: Partial<StageSnapshot>) => progressMilestone([snapshotFixture(of)]);
  assert.equal(at({ step: 36 }), at({ step: 44 }));
  assert.notEqual(at({ step: 44 }), at({ step: 45 }));
  assert.notEqual(at({ step: 36 }), at({ step: 36, stage: 'reasoning-rl' }));
  assert.equal(at({ step: 0, recent: [], phase: undefined }), null);
});

test('figures are rounded for people', () => {
  assert.deepEqual([412, 9_800, 26_812, 1_500_000].map(count), ['412', '9.8k', '27k', '1.5M']);
  assert.deepEqual([40, 240, 7_500].map(duration), ['40 s', '4 min', '2 h 5 min']);
  assert.deepEqual([7, 96, 7_510].map(clock), ['0:07', '1:36', '2:05:10']);
  assert.deepEqual([percent(null), short(null)], ['–', '–']);
});

test('a parked stage is shown with its reason', () => {
  const text = showText(
    showFixture({ status: 'running', stageStatus: 'parked', reason: 'out of memory' }),
    null,
  );
  assert.match(text, /zero is parked: out of memory\n`r1 retry small-1` retries/);
});

test('a paused stage is shown with where, by whom, and how to continue', () => {
  const show = showFixture({ status: 'paused', stageStatus: 'paused', reason: 'at step 1, by ada' });
  assert.match(showText(show, null), /zero is paused: at step 1, by ada\n`r1 resume small-1` continues it; /);
});

test('option changes and numerics changes of a stage are shown', () => {
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
  assert.match(text, /zero at step 3: learning_rate changed to 0\.0001 by ada/);
  assert.match(
    text,
    /zero at step 2: numerics changed, onnxruntime 1 on cpu \(avx2, 1 thread\) → .*\(avx2, 2 threads\)/,
  );
});

test('tables have a line a row, without borders or trailing blanks', () => {
  const lines = stepsText([stepFixture(), stepFixture({ step: 2, seam: true })]).split('\n');
  assert.equal(lines.length, 3);
  assert.match(lines[2] ?? '', /^zero +2 .* numerics changed$/);
  assert.doesNotMatch(lines.join('\n'), / $/m);
});

test('runs that wait for a trainer tell their place, in the list and by themselves', () => {
  const run = { recipe: 'small', status: 'running' as const, startedAt: '2024-05-01T12:00:00.000Z' };
  const text = runsText([
    { ...run, run: 'c', place: 2 },
    { ...run, run: 'b', place: 1 },
    { ...run, run: 'a', place: null },
  ]);
  assert.match(text, /^c .* running, place 2 in the queue for a trainer /m);
  assert.match(text, /^b .* running, next in the queue for a trainer /m);
  assert.match(text, /^a +small +running {2}/m);
  const show = showText({ ...showFixture({ status: 'running' }), place: 3 }, null);
  assert.match(show, /running, place 3 in the queue for a trainer/);
});

test('without runs the list says how to launch one', () => {
  assert.match(runsText([]), /r1 launch/);
});

test('a run is one table: what it starts from, and a row a stage with its last evaluation', () => {
  const base = evaluationFixture({ stage: 'base', step: 0, passAt1: 0.1, generalAbility: 0.8 });
  const trained = evaluationFixture({ languageConsistency: 0.48 });
  const show = showFixture({ status: 'running', evaluations: [base, trained] });
  const lines = showText(show, null, Date.parse(show.startedAt) + 96_000).split('\n');
  assert.match(
    lines[2] ?? '',
    /^stage +from +status +step +time +pass@1 +length +language +general +digest$/,
  );
  assert.match(lines[3] ?? '', /^base +10\.0 % +31\.5 +– +80\.0 %$/);
  assert.match(lines[4] ?? '', /^zero +base +running +1\/4 +1:36 +42\.0 % +31\.5 +48\.0 % +– +abab/);
});

test('what reward models rank, and how checkpoints are named, is told', () => {
  const show = showFixture({ status: 'complete', stageOf: { measure: { accuracy: 0.921, pairs: 200 } } });
  const text = showText(show, null);
  assert.match(text, /zero ranks 92\.1 % of 200 held-out pairs correctly/);
  assert.match(text, /small-1\/STAGE@STEP; that of zero:\ns3:\/\//);
});

/** What is printed where there is no terminal; `at` sets the clock. */
function printedLine() {
  const written: string[] = [];
  let time = 0;
  const stream = { isTTY: false, write: (text: string) => written.push(text.trimEnd()) > 0 };
  const line = createLiveLine(stream as never, () => time);
  const at = (seconds: number, text: string, milestone: string | null) => {
    time = 1_000 * seconds;
    line.show(text, milestone);
  };
  return { written, line, at };
}

test('without a terminal a line is printed at milestones, and its last state at the end', () => {
  const { written, line, at } = printedLine();
  at(0, 'a', '0');
  at(9, 'b', '0');
  at(10, 'c', '1');
  at(12, 'd', '2');
  at(16, 'e', '2');
  at(17, 'f', '2');
  line.end();
  assert.deepEqual(written, ['a', 'c', 'e', 'f']);
});

test('without a terminal half a minute without a line is the longest', () => {
  const { written, at } = printedLine();
  at(0, 'a', '0');
  at(29, 'b', '0');
  at(30, 'c', '0');
  assert.deepEqual(written, ['a', 'c']);
});

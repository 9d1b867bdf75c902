import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { stepsDocument } from '../../contracts/documents.ts';
import { messages } from '../../contracts/workflows.ts';
import { r1, r1Json, shownByTemporal, shownStage, tell } from './command.ts';
import {
  awaitRest,
  awaitStatus,
  awaitStep,
  type Ground,
  launchRun,
  openGround,
  startCrew,
} from './ground.ts';

/** For a machine with much else to do; none of it is waited for in vain. */
const PATIENCE = { timeout: 600_000 };

let ground: Ground;

before(async () => {
  ground = await openGround();
}, PATIENCE);
after(() => ground?.close());

/** The step at which every view shows a numerics change between an engine of one thread and one of two. */
async function assertNumericsChange(run: string): Promise<number> {
  const { seams } = await shownStage(ground.settings, run);
  assert.deepEqual(
    seams.map(({ before: { threads }, after }) => [threads, after.threads]),
    [[1, 2]],
  );
  const at = seams[0]?.step ?? 0;
  const steps = await r1Json(ground.settings, stepsDocument, 'steps', run);
  assert.deepEqual(
    steps.flatMap(({ step, seam }) => (seam ? [step] : [])),
    [at],
  );
  assert.match(
    (await r1(ground.settings, 'steps', run)).out,
    new RegExp(`^zero +${at} .* numerics changed$`, 'm'),
  );
  const shown = [(await r1(ground.settings, 'show', run)).out, (await shownByTemporal(ground, run)).details];
  for (const text of shown) assert.match(text, new RegExp(`step ${at}: .*1 thread\\) → .*2 threads\\)`));
  return at;
}

test('a run that continues under other numerics shows the change, and ends', PATIENCE, async () => {
  const run = 'other-threads';
  const one = await startCrew(ground, `${run}-1`);
  try {
    await launchRun(ground, run);
    await awaitStep(ground, run, 3);
    await tell(ground, run, messages.pause);
    assert.equal(await awaitRest(ground, run), 'paused');
  } finally {
    await one.stop();
  }
  const { step: paused } = await shownStage(ground.settings, run);
  const two = await startCrew(ground, `${run}-2`, { threads: 2 });
  try {
    await tell(ground, run, messages.resume);
    await awaitStatus(ground, run, 'complete');
    assert.equal(await assertNumericsChange(run), paused + 1);
  } finally {
    await two.stop();
  }
});

test(
  'a log that is replayed under other numerics is trained on all the same: the numerics change is at the first new step',
  PATIENCE,
  async () => {
    const run = 'replayed-otherwise';
    const one = await startCrew(ground, `${run}-1`, { failpoints: ['step-row:8=stop'] });
    try {
      await launchRun(ground, run);
      await awaitStep(ground, run, 8);
    } finally {
      await one.stop();
    }
    const two = await startCrew(ground, `${run}-2`, { threads: 2 });
    try {
      await awaitStatus(ground, run, 'complete');
      assert.equal(await assertNumericsChange(run), 9);
    } finally {
      await two.stop();
    }
  },
);

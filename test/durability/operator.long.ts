import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  operatorDocument,
  setDocument,
  showDocument,
  stepsDocument,
  whyDocument,
} from '../../contracts/documents.ts';
import { messages } from '../../contracts/workflows.ts';
import { r1, r1Json, shownByTemporal, shownStage, tell } from './command.ts';
import {
  awaitRest,
  awaitStatus,
  awaitStep,
  type Crew,
  type Ground,
  launchRun,
  openGround,
  runThrough,
  SAVED_STEP,
  startCrew,
} from './ground.ts';
import { type Outcome, outcomeOf, withoutCheckpoint } from './outcome.ts';

/** For a machine with much else to do; none of it is waited for in vain. */
const PATIENCE = { timeout: 600_000 };

let ground: Ground;
let calm: Outcome;
let crew: Crew;

before(async () => {
  ground = await openGround();
  assert.equal(await runThrough(ground, 'calm'), 'complete');
  calm = await outcomeOf(ground, 'calm');
  crew = await startCrew(ground, 'crew');
}, PATIENCE);
after(async () => {
  await crew?.stop();
  await ground?.close();
});

const say = (...args: string[]) => r1(ground.settings, ...args);

test(
  'a paused run gives its trainer back: another run has it meanwhile, and both end in the calm run’s bits',
  PATIENCE,
  async () => {
    await launchRun(ground, 'paused');
    await awaitStep(ground, 'paused', 3);
    await tell(ground, 'paused', messages.pause, { author: 'ada' });
    assert.equal(await awaitRest(ground, 'paused'), 'paused');
    const { step, reason } = await shownStage(ground.settings, 'paused');
    assert.equal(reason, `at step ${step}, by ada`);
    assert.match((await say('retry', 'paused')).error, /only a parked stage can be retried/);

    await launchRun(ground, 'meanwhile');
    assert.equal(await awaitRest(ground, 'meanwhile'), 'complete');
    assert.deepEqual(await outcomeOf(ground, 'meanwhile'), calm);

    await r1Json(ground.settings, operatorDocument, 'resume', 'paused');
    await awaitStatus(ground, 'paused', 'complete');
    assert.deepEqual(
      withoutCheckpoint(await outcomeOf(ground, 'paused'), step),
      withoutCheckpoint(calm, step),
    );
  },
);

test(
  'numbers set by an operator hold from their step on, and are shown with their author by r1 and by Temporal',
  PATIENCE,
  async () => {
    await launchRun(longer(40), 'changed');
    await awaitStep(ground, 'changed', 2);
    await r1Json(ground.settings, operatorDocument, 'pause', 'changed');
    await awaitRest(ground, 'changed');
    const early = await say('set', 'changed', 'learning_rate=1e-5', '--at-step', '1');
    assert.equal(early.code, 2);
    assert.match(early.error, /expected a step from \d+ to 40, found learning_rate to change at step 1/);
    const wrong = await say('set', 'changed', 'zero', 'epsilon=0.1', 'learning_rate=-1');
    assert.match(wrong.error, /learning_rate: expected number to be >0, found -1\. Nothing was changed/);
    const { changes } = await r1Json(
      ground.settings,
      setDocument,
      ...['set', 'changed', 'learning_rate=2e-4', 'max_grad_norm=0.5', '--at-step', '39', '--author', 'ada'],
    );
    assert.deepEqual(changes, [
      { effectiveStep: 39, field: 'learning_rate', value: 2e-4, author: 'ada' },
      { effectiveStep: 39, field: 'max_grad_norm', value: 0.5, author: 'ada' },
    ]);
    assert.deepEqual((await shownStage(ground.settings, 'changed')).changes.slice(1), changes);
    assert.match((await say('show', 'changed')).out, /39.*max_grad_norm changed to 0\.5 by ada/);
    assert.match(
      (await shownByTemporal(ground, 'changed')).details,
      /from step 39: learning_rate = 0\.0002, by ada/,
    );

    await say('resume', 'changed');
    await awaitStatus(ground, 'changed', 'complete');
    const steps = await r1Json(ground.settings, stepsDocument, 'steps', 'changed');
    // two steps of warm-up, then as in every run of this ground, then as set
    const rates = [0, 5e-4, ...Array(4).fill(1e-3), ...Array(32).fill(4e-4), 2e-4, 2e-4];
    assert.deepEqual(
      steps.map(({ learningRate }) => learningRate),
      rates,
    );
    // Histories end every few steps; what the UI shows of the last ones goes with them.
    const { details } = await shownByTemporal(ground, 'changed');
    assert.match(details, /### Step 40 of 40/);
    assert.deepEqual(
      [...details.matchAll(/^\|\s*(\d+)\|/gm)].map(([, step]) => Number(step)),
      [31, 32, 33, 34, 35, 36, 37, 38, 39, 40],
    );
  },
);

test(
  'a run goes on after a checkpoint on a new branch, and the old branch stays readable',
  PATIENCE,
  async () => {
    await launchRun(longer(40), 'rewound');
    await awaitStep(ground, 'rewound', SAVED_STEP + 1);
    const paused = await r1Json(ground.settings, operatorDocument, 'pause', 'rewound');
    assert.deepEqual([paused.said, paused.when, paused.workflow], ['pause', 'next-step', 'told']);
    assert.equal(await awaitRest(ground, 'rewound'), 'paused');
    const before = await r1Json(ground.settings, stepsDocument, 'steps', 'rewound');
    const far = await say('resume', 'rewound', '--from', '99');
    assert.match(
      far.error,
      /rewound\/zero refused: rewound\/zero: expected a step from 0 to \d+ to continue after, found 99/,
    );
    const { rewound } = await r1Json(
      ground.settings,
      operatorDocument,
      ...['resume', 'rewound', '--from', `rewound/zero@${SAVED_STEP}`],
    );
    assert.deepEqual(rewound, { branch: 1, step: SAVED_STEP });
    await awaitStatus(ground, 'rewound', 'complete');
    const all = await r1Json(ground.settings, stepsDocument, 'steps', 'rewound', '--branches');
    assert.deepEqual(
      all.filter(({ branch }) => branch === 0),
      before,
    );
    const now = await r1Json(ground.settings, stepsDocument, 'steps', 'rewound');
    assert.deepEqual(
      now.map(({ branch, step }) => [branch, step]),
      Array.from({ length: 40 }, (_, index) => [index < SAVED_STEP ? 0 : 1, index + 1]),
    );
  },
);

test('a run that is cancelled ends after the step under way, with a checkpoint of it', PATIENCE, async () => {
  await launchRun(longer(40), 'cancelled');
  await awaitStep(ground, 'cancelled', 2);
  const cancelled = await r1Json(ground.settings, operatorDocument, 'cancel', 'cancelled');
  assert.equal(cancelled.when, 'next-step');
  assert.equal(await awaitRest(ground, 'cancelled'), 'aborted');
  const stage = await shownStage(ground.settings, 'cancelled');
  assert.ok(stage.step < 40, `expected it to end early, found step ${stage.step}`);
  assert.match(stage.checkpoint?.uri ?? '', new RegExp(`/step-0*${stage.step}/`));
  assert.match((await say('abort', 'cancelled')).error, /has no unfinished stage: it is aborted/);
  const why = await r1Json(ground.settings, whyDocument, 'why', 'cancelled');
  assert.equal(why.waitsFor, 'nothing');
});

test('cancelled from the Temporal UI, a run is aborted by its rows as well', PATIENCE, async () => {
  await launchRun(longer(40), 'by-temporal');
  await awaitStep(ground, 'by-temporal', 1);
  await (await ground.connections.temporal()).workflow.getHandle('r1/by-temporal').cancel();
  assert.equal(await awaitRest(ground, 'by-temporal'), 'aborted');
  const { stages } = await r1Json(ground.settings, showDocument, 'show', 'by-temporal');
  assert.equal(stages[0]?.status, 'aborted');
});

/** The ground with a recipe that plans so many steps: an operator has time to say something. */
function longer(max_steps: number): Ground {
  const { recipe } = ground;
  const stages = recipe.stages.map(
    (stage) => ({ ...stage, options: { ...stage.options, max_steps } }) as typeof stage,
  );
  return { ...ground, recipe: { ...recipe, stages } };
}

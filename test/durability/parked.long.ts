import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { operatorDocument, runsDocument, whyDocument } from '../../contracts/documents.ts';
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

/** What a parked run tells, whoever is asked: its reason, and the ways on. */
async function assertReported(run: string, reason: RegExp): Promise<void> {
  const { settings } = ground;
  const stage = await shownStage(settings, run);
  assert.equal(stage.status, 'parked');
  assert.match(stage.reason ?? '', reason);
  const watched = await r1(settings, 'watch', run);
  assert.equal(watched.code, 1);
  const why = await r1Json(settings, whyDocument, 'why', run);
  assert.equal(why.waitsFor, 'operator');
  assert.notEqual(why.since, null);
  const { details, status } = await shownByTemporal(ground, run);
  assert.equal(status, 'parked');
  for (const text of [(await r1(settings, 'show', run)).out, watched.error, why.text, details]) {
    assert.match(text, reason);
    for (const way of [`r1 retry ${run}`, `r1 resume ${run} --from STEP`, `r1 abort ${run}`])
      assert.ok(text.includes(way), `expected ${way} in ${text}`);
  }
}

/** A recipe to train on ground truths that no verifier can read: each of the completions is an error. */
async function spoilt(): Promise<Ground> {
  const path = join(ground.folder, 'spoilt.jsonl');
  const rows = Array.from({ length: 20 }, (_, n) => ({
    problem: `${n}+1=?`,
    domain: 'math',
    ...(n < 16 ? { answer: '\\frac{', split: 'train' } : { answer: String(n + 1), split: 'test' }),
  }));
  await writeFile(path, rows.map((row) => JSON.stringify(row)).join('\n'));
  const { recipe } = ground;
  const stages = recipe.stages.map(
    (stage) => ({ ...stage, options: { ...stage.options, dynamic_sampling: false } }) as typeof stage,
  );
  return { ...ground, recipe: { ...recipe, prompts: { source: 'jsonl', path }, stages } };
}

test(
  'bad data park: too many completions dropped, told by everyone, and ended by the operator',
  PATIENCE,
  async () => {
    const run = 'spoilt';
    const crew = await startCrew(ground, run);
    try {
      await launchRun(await spoilt(), run);
      assert.equal(await awaitRest(ground, run), 'parked');
      await assertReported(
        run,
        /TooManyErrors: expected errors for at most 0\.2 of the completions.*found 1\.000/,
      );
      const { when } = await r1Json(ground.settings, operatorDocument, 'abort', run);
      assert.equal(when, 'now');
      await awaitStatus(ground, run, 'aborted');
    } finally {
      await crew.stop();
    }
  },
);

test('memory that runs out parks, and the run ends as planned once it is tried again', PATIENCE, async () => {
  const run = 'no-memory';
  const crew = await startCrew(ground, run, { failpoints: ['trained:6=memory'] });
  try {
    await launchRun(ground, run);
    assert.equal(await awaitRest(ground, run), 'parked');
    await assertReported(
      run,
      /trainStep: OutOfResources: .*bad_alloc: use a smaller batch or a larger machine/,
    );
    await r1Json(ground.settings, operatorDocument, 'retry', run);
    await awaitStatus(ground, run, 'complete');
  } finally {
    await crew.stop();
  }
});

test(
  'trainers that are lost one after the other at the same step park, and tell how many',
  PATIENCE,
  async () => {
    const run = 'killed-again';
    const crew = await startCrew(ground, run, { failpoints: Array(5).fill('trained:6') });
    try {
      await launchRun(ground, run);
      assert.equal(await awaitRest(ground, run), 'parked');
      await assertReported(run, /TrainerLost: 5 trainers in a row were lost after step 5/);
      await r1Json(ground.settings, operatorDocument, 'retry', run);
      await awaitStatus(ground, run, 'complete');
    } finally {
      await crew.stop();
    }
  },
);

test(
  'rows that contradict what is computed park with both values, and the run continues once they are corrected',
  PATIENCE,
  async () => {
    const run = 'contradicted';
    const crew = await startCrew(ground, run);
    try {
      await launchRun(ground, run);
      await awaitStep(ground, run, 3);
      await tell(ground, run, messages.pause);
      assert.equal(await awaitRest(ground, run), 'paused');
      const { step } = await shownStage(ground.settings, run);
      const other = 'f'.repeat(64);
      const digest = await swapDigest(run, step, other);
      await tell(ground, run, messages.resume);
      await awaitStatus(ground, run, 'parked');
      await assertReported(run, new RegExp(`Contradiction: .*${other}.*${digest}`));
      assert.equal(await swapDigest(run, step, digest), other);
      await r1Json(ground.settings, operatorDocument, 'retry', run);
      await awaitStatus(ground, run, 'complete');
    } finally {
      await crew.stop();
    }
  },
);

test(
  'a parked run is listed as parked, and a step that is not committed leaves it so',
  PATIENCE,
  async () => {
    const run = 'parked-on';
    const crew = await startCrew(ground, run, { failpoints: ['trained:3=memory'] });
    try {
      await launchRun(ground, run);
      await awaitStatus(ground, run, 'parked');
      const runs = await r1Json(ground.settings, runsDocument, 'runs');
      assert.equal(runs.find((listed) => listed.run === run)?.status, 'parked');
      const far = await r1(ground.settings, 'resume', run, '--from', '9');
      assert.match(far.error, /expected a step from 0 to 2 to continue after, found 9/);
      assert.equal((await shownStage(ground.settings, run)).status, 'parked');
      await r1Json(ground.settings, operatorDocument, 'resume', run, '--from', '0');
      await awaitStatus(ground, run, 'complete');
      assert.equal((await shownStage(ground.settings, run)).branch, 1);
    } finally {
      await crew.stop();
    }
  },
);

/** Has a step's row name other weights; returns those that it named. */
async function swapDigest(run: string, step: number, digest: string): Promise<string> {
  const database = await ground.connections.database();
  const [row] = await database.query<{ digest: string }>(
    `UPDATE steps SET digest_after = $3 FROM (SELECT digest_after AS digest FROM steps WHERE run = $1 AND step = $2) old
     WHERE run = $1 AND step = $2 RETURNING old.digest`,
    [run, step, digest],
  );
  assert.ok(row, `expected step ${step} of ${run}`);
  return row.digest;
}

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { readShow } from '../../cli/run/run-rows.ts';
import type { AlarmRecipe } from '../../contracts/alarms.ts';
import { type Ground, openGround, runThrough } from '../durability/ground.ts';

/** For a machine with much else to do; none of it is waited for in vain. */
const PATIENCE = { timeout: 600_000 };

let ground: Ground;
before(async () => {
  ground = await openGround();
}, PATIENCE);
after(() => ground?.close());

/** Runs the ground's recipe with one alarm until it rests. */
async function restsOf(run: string, alarm: AlarmRecipe) {
  const recipe = { ...ground.recipe, alarms: [alarm] };
  const status = await runThrough({ ...ground, recipe }, run);
  const show = await readShow(await ground.connections.database(), run);
  return { status, stage: show.stages[0], alarms: show.alarms };
}

test(
  'a stage parks at the step that crosses an alarm’s threshold, with the alarm as the reason and a checkpoint',
  PATIENCE,
  async () => {
    const crossedAtOnce = { name: 'length-at-limit', threshold: 0, window: 2, action: 'park' } as const;
    const { status, stage, alarms } = await restsOf('alarmed', crossedAtOnce);
    assert.equal(status, 'parked');
    assert.equal(stage?.step, 2);
    assert.match(stage?.reason ?? '', /^at step 2, alarm length-at-limit: share of completions cut/);
    assert.match(stage?.checkpoint?.uri ?? '', /step-000002/);
    assert.deepEqual(
      alarms.map(({ name, step, action }) => [name, step, action]),
      [['length-at-limit', 2, 'park']],
    );
  },
);

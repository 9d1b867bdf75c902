import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Connections } from '../../cli/stack/connections.ts';
import { operatorDocument, whyDocument } from '../../contracts/documents.ts';
import { connectionEnvironment } from '../../infra/connections.ts';
import { homePaths } from '../../infra/paths.ts';
import type { Settings } from '../../infra/settings.ts';
import { startStack, stopStack } from '../../infra/stack.ts';
import { killGroup } from '../../infra/supervisor/process-identity.ts';
import { readState } from '../../infra/supervisor/state.ts';
import { r1Json } from './command.ts';
import {
  awaitStatus,
  awaitStep,
  connect,
  type Ground,
  launchRun,
  openGround,
  runThrough,
  settingsOf,
} from './ground.ts';
import { type Outcome, objectsLeft, outcomeOf } from './outcome.ts';

/** For a machine with much else to do; none of it is waited for in vain. */
const PATIENCE = { timeout: 600_000 };

let ground: Ground;
let calm: Outcome;

before(async () => {
  ground = await openGround();
  assert.equal(await runThrough(ground, 'calm'), 'complete');
  calm = await outcomeOf(ground, 'calm');
}, PATIENCE);
after(() => ground?.close());

test(
  'after a night without power, a run goes on from database and bucket alone, on another machine, to the same bits',
  PATIENCE,
  async () => {
    const run = 'night';
    const evening = await startMachine('evening');
    await launchRun({ recipe: ground.recipe, connections: evening.connections }, run);
    await awaitStep(ground, run, 8);
    await evening.losePower();

    const morning = await startMachine('morning');
    try {
      const why = await r1Json(morning.settings, whyDocument, 'why', run);
      assert.equal(why.waitsFor, 'workflow');
      assert.match(why.text, /`r1 resume night` continues from the rows/);
      const resumed = await r1Json(morning.settings, operatorDocument, 'resume', run);
      assert.equal(resumed.workflow, 'begun');
      await awaitStatus(ground, run, 'complete');
      const { rows, batches, checkpoints, ...found } = await outcomeOf(ground, run);
      assert.deepEqual([rows, batches, checkpoints], [calm.rows, calm.batches, calm.checkpoints]);
      // What no row names yet when the power goes is garbage beside its equals.
      objectsLeft({ rows, batches, checkpoints, ...found }, calm);
    } finally {
      await morning.stop();
    }
  },
);

interface Machine {
  settings: Settings;
  connections: Connections;
  /** every process dies at once, and nothing of its disk is left */
  losePower(): Promise<void>;
  stop(): Promise<void>;
}

/** A machine with a Temporal server and workers of its own, whose database and bucket are the ground's. */
async function startMachine(name: string): Promise<Machine> {
  const {
    R1_TEMPORAL_ADDRESS: _its,
    R1_TEMPORAL_NAMESPACE: _own,
    ...shared
  } = connectionEnvironment(ground.stack);
  const settings = settingsOf(join(ground.folder, name), { ...shared, R1_THREADS: '1' });
  const connections = await connect(await startStack({ settings }));
  const close = async () => {
    const [database, objects, temporal] = [
      connections.database(),
      connections.objects(),
      connections.temporal(),
    ];
    await Promise.allSettled([(await database).close(), (await temporal).connection.close()]);
    (await objects).close();
  };
  return {
    settings,
    connections,
    async losePower() {
      await close();
      const state = readState(homePaths(settings.home).state);
      assert.ok(state, 'expected the machine to run');
      const processes = [state.supervisor, ...state.processes.flatMap(({ identity }) => identity ?? [])];
      for (const { pid } of processes) killGroup(pid);
      rmSync(settings.home, { recursive: true });
    },
    async stop() {
      await close();
      await stopStack({ settings });
    },
  };
}

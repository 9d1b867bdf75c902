/**
 * `npm run bench:recovery`: the cost of a trainer's crash. R1-Zero in miniature runs on separate servers; its trainer
 * is killed (SIGKILL) some steps past a checkpoint, twice. The new trainer must reach the step of the kill within the
 * training time of those steps plus ten seconds.
 */
import { availableParallelism, cpus } from 'node:os';
import { join } from 'node:path';
import type { History } from '@temporalio/common/lib/proto-utils.js';
import { tableText } from '../../cli/output/output.ts';
import { readRecipe } from '../../cli/recipe/recipe-file.ts';
import { stageWorkflowId } from '../../contracts/workflows.ts';
import { PROJECT_ROOT } from '../../infra/paths.ts';
import {
  awaitRest,
  awaitStep,
  type Crew,
  type Ground,
  lastStep,
  launchRun,
  openGround,
  STAGE,
  startCrew,
} from '../durability/ground.ts';

const RUN = 'recovery';
const SAVED_EVERY = 20;
/** steps of the kills, some steps past a checkpoint */
const KILLED_AT = [32, 53];
const ALLOWED_SECONDS = 10;

interface Recovery {
  /** steps past the checkpoint */
  k: number;
  /** seconds that training these steps took before the kill */
  training: number;
  /** seconds from the kill until another trainer had loaded the checkpoint */
  loaded: number;
  /** seconds from the kill until it reached the same step again */
  back: number;
}

interface Kill {
  step: number;
  /** milliseconds since the epoch */
  at: number;
}

const { recipe, folder } = await readRecipe(join(PROJECT_ROOT, 'recipes/nano-zero.yaml'), []);
recipe.base = join(folder, recipe.base);
recipe.evaluation = { ...recipe.evaluation, problems: 16, k: 2, quick_problems: 16, quick_k: 2 };
for (const { options } of recipe.stages) Object.assign(options, { save_steps: SAVED_EVERY, eval_steps: 0 });
const threads = availableParallelism();

const ground = await openGround({ recipe: () => recipe, historyEvents: null });
try {
  report(await recoveries(ground));
} finally {
  await ground.close();
}

async function recoveries(servers: Ground): Promise<Recovery[]> {
  const crew = await startCrew(servers, RUN, { threads });
  const kills: Kill[] = [];
  try {
    await launchRun(servers, RUN, null);
    for (const step of KILLED_AT) {
      await awaitStep(servers, RUN, step);
      kills.push(await killTrainer(servers, crew));
    }
    const status = await awaitRest(servers, RUN);
    if (status !== 'complete') throw new Error(`expected a complete run, found ${status}`);
    return await Promise.all(kills.map((kill) => recoveryOf(servers, kill)));
  } finally {
    await crew.stop();
  }
}

async function killTrainer({ connections }: Ground, crew: Crew): Promise<Kill> {
  const trainer = crew.state().processes.find(({ name }) => name === 'trainer');
  if (!trainer?.identity) throw new Error('expected a trainer to run, found none');
  const at = Date.now();
  process.kill(trainer.identity.pid, 'SIGKILL');
  return { step: await lastStep(await connections.database(), RUN), at };
}

async function recoveryOf(servers: Ground, { step, at }: Kill): Promise<Recovery> {
  const database = await servers.connections.database();
  const saved = Math.floor((step - 1) / SAVED_EVERY) * SAVED_EVERY;
  const [row] = await database.query<{ training: number }>(
    'SELECT sum(seconds_training) AS training FROM steps WHERE run = $1 AND step > $2 AND step <= $3',
    [RUN, saved, step],
  );
  const calls = (await callsOf(servers)).filter(({ endedAt }) => endedAt > at);
  const after = (name: string, expectedStep?: number) => {
    const found = calls.find((call) => call.name === name && call.expectedStep === expectedStep);
    return ((found?.endedAt ?? Number.NaN) - at) / 1000;
  };
  return {
    k: step - saved,
    training: row?.training ?? Number.NaN,
    loaded: after('acquire'),
    back: after('trainStep', step - 1),
  };
}

/** A completed call of an activity. */
interface Call {
  name: string;
  /** only for a training call */
  expectedStep?: number;
  /** milliseconds since the epoch, by the server's clock */
  endedAt: number;
}

/** The calls of the stage, in the order of their ends. */
async function callsOf({ connections }: Ground): Promise<Call[]> {
  const client = await connections.temporal();
  const workflowId = stageWorkflowId({ run: RUN, stage: STAGE });
  const calls: Call[] = [];
  for await (const { runId } of client.workflow.list({ query: `WorkflowId = '${workflowId}'` }))
    calls.push(...callsIn(await client.workflow.getHandle(workflowId, runId).fetchHistory()));
  return calls.sort((a, b) => a.endedAt - b.endedAt);
}

function callsIn({ events }: History): Call[] {
  const scheduled = new Map<string, Omit<Call, 'endedAt'>>();
  const calls: Call[] = [];
  for (const { eventId, eventTime, ...event } of events ?? []) {
    const { activityType, input } = event.activityTaskScheduledEventAttributes ?? {};
    if (activityType?.name) scheduled.set(String(eventId), { name: activityType.name, ...inputOf(input) });
    const call = scheduled.get(String(event.activityTaskCompletedEventAttributes?.scheduledEventId));
    if (call)
      calls.push({ ...call, endedAt: 1000 * Number(eventTime?.seconds) + Number(eventTime?.nanos) / 1e6 });
  }
  return calls;
}

type Payloads = { payloads?: { data?: Uint8Array | null }[] | null } | null | undefined;

function inputOf(input: Payloads): Pick<Call, 'expectedStep'> {
  const { expectedStep } = JSON.parse(Buffer.from(input?.payloads?.[0]?.data ?? []).toString() || '{}');
  return expectedStep === undefined ? {} : { expectedStep };
}

function report(found: Recovery[]): void {
  console.log(
    `${cpus()[0]?.model.trim()}, ${threads} cores, Node ${process.version}, ${new Date().toISOString().slice(0, 10)}\n`,
  );
  const seconds = (value: number) => `${value.toFixed(1)} s`;
  const met = ({ training, back }: Recovery) => back <= training + ALLOWED_SECONDS;
  const rows = found.map((recovery) => [
    `killed ${recovery.k} steps past the checkpoint`,
    seconds(recovery.training),
    seconds(recovery.loaded),
    seconds(recovery.back),
    seconds(recovery.training + ALLOWED_SECONDS),
    met(recovery) ? 'met' : 'MISSED',
  ]);
  console.log(tableText(['', 'training them took', 'loaded after', 'back after', 'at most', ''], rows));
  if (!found.every(met)) process.exitCode = 1;
}

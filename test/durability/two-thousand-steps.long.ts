/**
 * A long run of tiny steps costs at its end what it cost at its beginning: in time, in memory, in history; and it
 * leaves exactly what was planned.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { dryRun } from '../../cli/launch/dry-run.ts';
import { type Recipe, recipeSchema } from '../../contracts/recipe.ts';
import { runWorkflowId, stageWorkflowId } from '../../contracts/workflows.ts';
import { homePaths } from '../../infra/paths.ts';
import { readState } from '../../infra/supervisor/state.ts';
import { machineCpu, usageOf } from '../helpers/usage.ts';
import {
  awaitRest,
  type Crew,
  type Ground,
  lastStep,
  launchRun,
  openGround,
  STAGE,
  startCrew,
} from './ground.ts';

/** A quick look takes fewer: `R1_TEST_STEPS=200`. */
const STEPS = Number(process.env.R1_TEST_STEPS ?? 2000);
const RUN = 'long';

/** For a machine with much else to do; none of it is waited for in vain. */
const PATIENCE = { timeout: 3_600_000 };

/** Steps whose memory is compared: early ones, once caches and pools are filled, and as many at the end. */
const EARLY: Span = { after: STEPS * 0.2, upTo: STEPS * 0.3 };
const LATE: Span = { after: STEPS * 0.9, upTo: STEPS };

/** Steps whose speed is compared: the first hundred after the code is warm, and the last hundred. */
const FIRST: Span = { after: 20, upTo: 120 };
const LAST: Span = { after: STEPS - 100, upTo: STEPS };

interface Span {
  after: number;
  upTo: number;
}

function longRecipe(base: string): Recipe {
  return recipeSchema.parse({
    name: 'long',
    seed: 11,
    base,
    prompts: { source: 'nano-sums', terms: 2, limit: 6, train: 20, test: 1 },
    evaluation: { problems: 1, k: 2, quick_problems: 1, quick_k: 2, max_completion_length: 8 },
    stages: [
      {
        stage: STAGE,
        algorithm: 'grpo',
        options: {
          learning_rate: 1e-6,
          max_steps: STEPS,
          save_steps: STEPS / 20,
          eval_steps: STEPS / 4,
          prompts_per_step: 2,
          num_generations: 2,
          max_completion_length: 8,
          beta: 0.01,
          ref_model_sync_steps: STEPS / 10,
        },
      },
    ],
  });
}

let ground: Ground;
let crew: Crew;
let samples: Sample[];

before(async () => {
  ground = await openGround({ recipe: longRecipe, historyEvents: null });
  crew = await startCrew(ground, RUN);
  await launchRun(ground, RUN, null);
  const ended = new AbortController();
  const sampling = sampleUsage(ended.signal);
  assert.equal(await awaitRest(ground, RUN), 'complete');
  ended.abort();
  samples = await sampling;
}, PATIENCE);
after(async () => {
  await crew?.stop();
  await ground?.close();
});

/** Share of Temporal's limits at which a history would be near them. */
const FAR = 0.2;
const LIMITS = { events: 51_200, bytes: 50 * 2 ** 20 };

test('every history stays far from the limits of Temporal', async () => {
  const histories = await historiesOf([runWorkflowId(RUN), stageWorkflowId({ run: RUN, stage: STAGE })]);
  const largest = (part: 'events' | 'bytes') => Math.max(...histories.map((history) => history[part]));
  console.log(
    `histories: ${histories.length}, at most ${largest('events')} events and ${mebibytes(largest('bytes'))}; ` +
      `${(histories.reduce((sum, { events }) => sum + events, 0) / STEPS).toFixed(1)} events a step`,
  );
  assert.ok(largest('events') < FAR * LIMITS.events, `found ${largest('events')} events`);
  assert.ok(largest('bytes') < FAR * LIMITS.bytes, `found ${largest('bytes')} bytes`);
});

/** What a process may hold more at the end than early on: a share of it, and garbage not yet collected. */
const GROWTH = { share: 0.1, bytes: 24 * 2 ** 20 };

test('no process holds more memory at the end than early on', () => {
  const early = samples.filter(({ step }) => within(EARLY, step));
  const late = samples.filter(({ step }) => within(LATE, step));
  assert.ok(Math.min(early.length, late.length) >= 5, `found ${early.length} and ${late.length} samples`);
  for (const name of Object.keys(early[0]?.memory ?? {})) {
    const [before, now] = [early, late].map((of) => median(of.map(({ memory }) => memory[name] ?? 0))) as [
      number,
      number,
    ];
    console.log(`${name.padEnd(12)} ${mebibytes(before)} → ${mebibytes(now)}`);
    const most = before * (1 + GROWTH.share) + GROWTH.bytes;
    assert.ok(now <= most, `${name}: expected at most ${mebibytes(most)}, found ${mebibytes(now)}`);
  }
});

/** How much longer a step may take at the end. */
const SLOWER = 1.3;
/** Processors that others may keep busy at the end more than at first, for the clock to be a fair judge. */
const DISTURBANCE = 0.1;

test('the last hundred steps take no more processor time than the first hundred', () => {
  const [first, last] = [expenseOf(FIRST), expenseOf(LAST)];
  for (const [name, cpu] of Object.entries(first.cpu))
    console.log(`${name.padEnd(12)} ${milliseconds(cpu)} → ${milliseconds(last.cpu[name] ?? 0)} a step`);
  const [atFirst, atLast] = [first, last].map(({ cpu }) => total(Object.values(cpu))) as [number, number];
  assert.ok(
    atLast <= SLOWER * atFirst,
    `expected at most ${SLOWER} × ${milliseconds(atFirst)}, found ${milliseconds(atLast)}`,
  );
});

test('the last hundred steps are as fast as the first hundred', async (t) => {
  const seconds = await secondsOfSteps();
  const [first, last] = [FIRST, LAST].map((span) => median(seconds.slice(span.after, span.upTo))) as [
    number,
    number,
  ];
  console.log(`a step: ${milliseconds(first)} at first, ${milliseconds(last)} at last (medians)`);
  const [before, now] = [expenseOf(FIRST).others, expenseOf(LAST).others];
  console.log(`others kept ${before.toFixed(2)} processors busy at first, ${now.toFixed(2)} at last`);
  if (now > before + DISTURBANCE) return t.skip('the machine had more to do for others at the end');
  assert.ok(
    last <= SLOWER * first,
    `expected at most ${SLOWER} × ${milliseconds(first)}, found ${milliseconds(last)}`,
  );
});

test('rows and objects are as many as a dry run counts', async () => {
  const assumptions = { rates: null, meanLengths: new Map(), measuredLengths: new Map() };
  const file = { recipe: ground.recipe, folder: '/' };
  const [counted] = (await dryRun(file, ground.connections, assumptions)).stages;
  assert.ok(counted);
  assert.deepEqual(await countRows(Object.keys(counted.rows)), counted.rows);
  assert.equal(await countObjects(), counted.objects);
});

interface Sample {
  step: number;
  /** seconds */
  at: number;
  /** bytes by process, without shared memory */
  memory: Record<string, number>;
  /** seconds of processor time by process, and of the whole machine */
  cpu: Record<string, number>;
  machine: number;
}

/** What every process of servers and crew uses, twice a second, with the step reached then. */
async function sampleUsage(ended: AbortSignal): Promise<Sample[]> {
  const database = await ground.connections.database();
  const taken: Sample[] = [];
  while (!ended.aborted) {
    const usages = await Promise.all(
      processes().map(async ([name, pid]) => [name, await usageOf([pid])] as const),
    );
    taken.push({
      step: await lastStep(database, RUN),
      at: performance.now() / 1000,
      memory: Object.fromEntries(usages.map(([name, { memory, shared }]) => [name, memory - shared])),
      cpu: Object.fromEntries(usages.map(([name, { cpu }]) => [name, cpu])),
      machine: await machineCpu(),
    });
    await sleep(500);
  }
  return taken;
}

function processes(): [name: string, pid: number][] {
  const states = [ground.settings, crew.settings].map(({ home }) => readState(homePaths(home).state));
  return states.flatMap((state) =>
    (state?.processes ?? []).flatMap(({ name, identity }) =>
      identity ? [[name, identity.pid] as [string, number]] : [],
    ),
  );
}

/** What steps cost: seconds of processor time a step by process, and the processors that others kept busy meanwhile. */
function expenseOf({ after: from, upTo }: Span): { cpu: Record<string, number>; others: number } {
  const began = samples.find(({ step }) => step >= from);
  const done = samples.find(({ step }) => step >= upTo) ?? samples.at(-1);
  assert.ok(began && done && done.at > began.at, `expected samples of the steps from ${from} to ${upTo}`);
  const spent = Object.entries(done.cpu).map(([name, cpu]) => [name, cpu - (began.cpu[name] ?? 0)] as const);
  const steps = done.step - began.step;
  const others = done.machine - began.machine - total(spent.map(([, cpu]) => cpu));
  return {
    cpu: Object.fromEntries(spent.map(([name, cpu]) => [name, cpu / steps])),
    others: others / (done.at - began.at),
  };
}

async function historiesOf(workflowIds: string[]): Promise<{ events: number; bytes: number }[]> {
  const client = await ground.connections.temporal();
  const found: { events: number; bytes: number }[] = [];
  for (const workflowId of workflowIds) {
    for await (const { runId } of client.workflow.list({ query: `WorkflowId = '${workflowId}'` })) {
      const { historyLength, historySize } = await client.workflow.getHandle(workflowId, runId).describe();
      found.push({ events: historyLength, bytes: historySize ?? Number.NaN });
    }
  }
  return found;
}

/** From one step's row to the next one's. */
async function secondsOfSteps(): Promise<number[]> {
  const database = await ground.connections.database();
  const rows = await database.query<{ seconds: number }>(
    `SELECT extract(epoch FROM recorded_at - lag(recorded_at) OVER (ORDER BY step))::float8 AS seconds
     FROM steps WHERE run = $1 ORDER BY step OFFSET 1`,
    [RUN],
  );
  return rows.map(({ seconds }) => seconds);
}

async function countRows(tables: readonly string[]): Promise<Record<string, number>> {
  const database = await ground.connections.database();
  const counts = tables.map(async (table) => {
    const sql = `SELECT count(*) AS rows FROM ${table} WHERE run = $1`;
    const [row] = await database.query<{ rows: number }>(sql, [RUN]);
    return [table, row?.rows];
  });
  return Object.fromEntries(await Promise.all(counts));
}

/** The stage's, and the reference policies that its checkpoints name. */
async function countObjects(): Promise<number> {
  const objects = await ground.connections.objects();
  const [own, references] = [await objects.list(`runs/${RUN}/`), await objects.list('references/')];
  return own.length + references.length;
}

const milliseconds = (seconds: number) => `${(1000 * seconds).toFixed(0)} ms`;
const total = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);
const within = ({ after: from, upTo }: Span, step: number) => step > from && step <= upTo;
const mebibytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}

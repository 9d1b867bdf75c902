/**
 * Passes one rollout of made-up completions through servers, orchestrator and rewards as they are, and measures it. Only
 * the trainer is a stub.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { checkLaunch, launch } from '../../../cli/launch/launch.ts';
import { type Recipe, recipeSchema } from '../../../contracts/recipe.ts';
import { stageWorkflowId } from '../../../contracts/workflows.ts';
import { MIGRATIONS } from '../../../infra/paths.ts';
import { startStack, stopStack } from '../../../infra/stack.ts';
import type { Database } from '../../../stores/database/database.ts';
import { migrate } from '../../../stores/database/migrate.ts';
import { getRun } from '../../../stores/runs/runs.ts';
import {
  type Crew,
  connect,
  type Ground,
  lastStep,
  serverSettings,
  startCrew,
} from '../../durability/ground.ts';
import { type Call, historiesOf, rowsByTable } from './calls.ts';
import type { Traffic, TrafficByKind } from './counting-proxy.ts';
import { type MemoryPeaks, type MemoryWatch, watchMemory } from './memory.ts';
import { writeBase, writePrompts } from './model.ts';
import {
  byProcess,
  Marks,
  openProxies,
  PROCESSES,
  type ProcessName,
  pidsOf,
  workersOf,
} from './processes.ts';

export interface RolloutSize {
  prompts: number;
  generations: number;
  /** batches that the rollout is cut into */
  steps: number;
  shardSize: number;
  /** tokens of a completion */
  meanTokens: number;
  maxTokens: number;
}

/** A process's peaks over a part of the run. */
export type Memory = Record<ProcessName, MemoryPeaks>;

export interface RolloutFigures {
  size: RolloutSize;
  completions: number;
  tokens: number;
  accuracy: number;
  /** seconds from the first draw to the last step's record */
  seconds: number;
  /** seconds of all calls of a phase together; scoring runs beside sampling */
  phases: Record<Phase, number>;
  /**
   * peaks from the first scored shard to the last step; of this, while shards are sampled and scored; while batches are
   * made, after the first
   */
  memory: { whole: Memory; shards: Memory; batches: Memory };
  traffic: Record<ProcessName, Record<string, Traffic>>;
  /** bytes of the rollout's and the log-probabilities' records */
  rolloutBytes: number;
  /** bytes of these, of requests, scores and index that the index and all batches together read */
  batchReads: number;
  rows: Record<string, number>;
  events: number;
  historyBytes: number;
  /** how often a process was restarted */
  restarts: number;
}

/** Phases, and the activity of each. */
const PHASES = {
  draw: 'drawPrompts',
  sample: 'sample',
  score: 'scoreRollout',
  logprobs: 'logprobs',
  batch: 'makeBatch',
  train: 'trainStep',
  record: 'recordStep',
} as const;
export type Phase = keyof typeof PHASES;

const RUN = 'rollout';
const STAGE = 'zero';
const POLL_MS = 500;
const PROGRESS_MS = 10_000;
/** characters of a log that an error shows */
const SHOWN_OF_LOG = 2000;

/** Starts servers of its own, and removes them and all data at the end. */
export async function measureRollout(
  size: RolloutSize,
  onProgress: (line: string) => void,
): Promise<RolloutFigures> {
  const folder = mkdtempSync(join(tmpdir(), 'r1-bench-rollout-'));
  const settings = serverSettings(folder);
  try {
    onProgress('making the tokenizer and starting servers');
    const [stack, base, prompts] = await Promise.all([
      startStack({ settings, workers: false }),
      writeBase(folder),
      writePrompts(folder, size.prompts, HELD_OUT),
    ]);
    const connections = await connect(stack);
    try {
      return await measureOn({ folder, stack, connections }, recipeOf(size, base, prompts), size, onProgress);
    } finally {
      await (await connections.database()).close();
      (await connections.objects()).close();
      await (await connections.temporal()).connection.close();
    }
  } finally {
    await stopStack({ settings, purge: true });
    rmSync(folder, { recursive: true, force: true });
  }
}

const HELD_OUT = 2;

/** `recipes/r1.yaml` for one rollout. */
function recipeOf(size: RolloutSize, base: string, prompts: string): Recipe {
  const { steps, maxTokens: max_completion_length } = size;
  return recipeSchema.parse({
    name: RUN,
    seed: 1,
    base,
    prompts: { source: 'jsonl', path: prompts },
    prompt_format: 'chat',
    evaluation: { problems: HELD_OUT, k: 2, max_completion_length },
    stages: [
      {
        stage: STAGE,
        algorithm: 'grpo',
        options: {
          learning_rate: 3e-6,
          max_steps: steps,
          save_steps: steps,
          prompts_per_step: size.prompts / steps,
          num_generations: size.generations,
          steps_per_generation: steps,
          shard_size: size.shardSize,
          beta: 0.001,
          max_completion_length,
          rewards: [{ name: 'accuracy' }, { name: 'format' }],
        },
      },
    ],
  });
}

type Servers = Pick<Ground, 'folder' | 'stack' | 'connections'>;

interface Watch {
  memory: MemoryWatch;
  marks: Marks;
  size: RolloutSize;
  onProgress: (line: string) => void;
}

async function measureOn(
  servers: Servers,
  recipe: Recipe,
  size: RolloutSize,
  onProgress: (line: string) => void,
): Promise<RolloutFigures> {
  const { connections, stack } = servers;
  const [database, objects] = await Promise.all([connections.database(), connections.objects()]);
  await migrate(database, MIGRATIONS);
  await objects.ensureBucket();
  const marks = new Marks();
  const proxies = await openProxies(stack, marks);
  const crew = await startCrew(servers, 'workers', { workers: workersOf(proxies, size) });
  const memory = watchMemory(pidsOf(crew));
  try {
    await launch(await checkLaunch({ recipe, folder: '/' }, connections), connections, RUN);
    await untilComplete(servers, crew, { memory, marks, size, onProgress });
    onProgress('reading histories and rows');
    const {
      calls,
      events,
      bytes: historyBytes,
    } = await historiesOf(await connections.temporal(), stageWorkflowId({ run: RUN, stage: STAGE }));
    const traffic = byProcess((name) => proxies[name].traffic());
    return {
      size,
      ...(await sumsOf(database)),
      ...timesOf(calls),
      memory: memoryOf(memory, marks),
      traffic: byProcess((name) => Object.fromEntries(traffic[name])),
      rolloutBytes: written(traffic.trainer, ['rollout', 'logprobs']),
      batchReads: readForBatches(traffic.orchestrator),
      rows: await rowsByTable(database),
      events,
      historyBytes,
      restarts: crew.state().processes.reduce((sum, { restarts }) => sum + restarts, 0),
    };
  } finally {
    memory.stop();
    await crew.stop();
    await Promise.all(PROCESSES.map((name) => proxies[name].close()));
  }
}

/** Waits until the run is complete. Throws where it rests before. */
async function untilComplete(
  { connections }: Servers,
  crew: Crew,
  { memory, marks, size, onProgress }: Watch,
): Promise<void> {
  const database = await connections.database();
  let said = 0;
  for (;;) {
    const { status } = await getRun(database, RUN);
    if (marks.end === 0 && (await lastStep(database, RUN)) === size.steps) marks.end = Date.now();
    if (status === 'complete') return;
    if (status !== 'running') {
      const logs = PROCESSES.map((name) => readFileSync(crew.log(name), 'utf8').slice(-SHOWN_OF_LOG));
      throw new Error(`expected a running run, found ${status}\n${logs.join('\n')}`);
    }
    if (Date.now() - said >= PROGRESS_MS) {
      onProgress(progressLine(memory, marks, size));
      said = Date.now();
    }
    await sleep(POLL_MS);
  }
}

function progressLine(memory: MemoryWatch, marks: Marks, { prompts, shardSize, steps }: RolloutSize): string {
  const shards = Math.ceil(prompts / shardSize);
  const done = [
    `${marks.count('rollout')} of ${shards} shards sampled`,
    `${marks.count('scores')} scored`,
    `${marks.count('batch')} of ${steps} batches`,
  ];
  const used = [...memory.now()].map(([name, bytes]) => `${name} ${mebibytes(bytes)}`);
  return `${done.join(', ')} · ${used.join(', ')}`;
}

export const mebibytes = (bytes: number) => `${Math.round(bytes / 2 ** 20)} MiB`;

function memoryOf(memory: MemoryWatch, marks: Marks): RolloutFigures['memory'] {
  const between = (from: number, to: number): Memory => {
    const peaks = memory.peaks(from, to);
    return byProcess((name) => peaks.get(name) ?? { peak: 0, firstHalf: 0, secondHalf: 0 });
  };
  return {
    whole: between(marks.at('scores', 1), marks.end),
    shards: between(marks.at('scores', 1), marks.at('index', 1)),
    batches: between(marks.at('batch', 2), marks.end),
  };
}

function timesOf(calls: readonly Call[]): Pick<RolloutFigures, 'phases' | 'seconds'> {
  const phases = Object.keys(PHASES) as Phase[];
  const callsOf = (phase: Phase) =>
    calls.filter(({ name, evaluates }) => name === PHASES[phase] && !evaluates);
  const secondsOf = (phase: Phase) =>
    callsOf(phase).reduce((sum, { startedAt, endedAt }) => sum + (endedAt - startedAt) / 1000, 0);
  const all = phases.flatMap(callsOf);
  const begin = Math.min(...all.map(({ startedAt }) => startedAt));
  const end = Math.max(...all.map(({ endedAt }) => endedAt));
  return {
    seconds: (end - begin) / 1000,
    phases: Object.fromEntries(phases.map((phase) => [phase, secondsOf(phase)])) as Record<Phase, number>,
  };
}

async function sumsOf(
  database: Database,
): Promise<Pick<RolloutFigures, 'completions' | 'tokens' | 'accuracy'>> {
  const [row] = await database.query<{ completions: number; tokens: number; accuracy: number }>(
    `SELECT sum(completions)::int AS completions, sum(tokens)::float8 AS tokens,
            sum(accuracy * completions) / sum(completions) AS accuracy
       FROM batches WHERE run = $1`,
    [RUN],
  );
  return row ?? { completions: 0, tokens: 0, accuracy: 0 };
}

const written = (traffic: TrafficByKind, kinds: readonly string[]) =>
  kinds.reduce((sum, kind) => sum + (traffic.get(kind)?.written ?? 0), 0);

/** Kinds that a batch is made of. */
const READ_FOR_BATCHES = ['rollout', 'logprobs', 'request', 'scores', 'index'];

function readForBatches(traffic: TrafficByKind): number {
  return READ_FOR_BATCHES.reduce((sum, kind) => sum + (traffic.get(kind)?.read ?? 0), 0);
}

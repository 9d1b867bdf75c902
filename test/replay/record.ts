/**
 * Records the histories that `test/workflows/replay.test.ts` replays: `node --import tsx test/replay/record.ts NAME…`, all
 * of them without a name. A history is recorded again, and its files committed, where a change to the workflows is meant
 * to break those under way; otherwise the old ones stay, as runs begun with earlier releases do.
 */
import { writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type History, historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { type Recipe, recipeSchema } from '../../contracts/recipe.ts';
import { messages, runWorkflowId, stageWorkflowId } from '../../contracts/workflows.ts';
import { tell } from '../durability/command.ts';
import {
  awaitRest,
  awaitStatus,
  awaitStep,
  type Ground,
  launchRun,
  openGround,
  runThrough,
  STAGE,
  startCrew,
} from '../durability/ground.ts';
import { REWARD_MODEL_STAGE, SFT_STAGE, supervisedRecipe } from '../durability/supervised.ts';

const recordings: Record<string, (ground: Ground) => Promise<void>> = {
  async undisturbed(ground) {
    await runThrough(ground, 'undisturbed');
    await record('undisturbed-run', await historiesOf(ground, runWorkflowId('undisturbed')));
    await record('undisturbed-stage', await historiesOf(ground, stageOf('undisturbed')));
  },
  async lost(ground) {
    await runThrough(ground, 'lost', ['trained:9']);
    const histories = await historiesOf(ground, stageOf('lost'));
    await record('trainer-lost-stage', histories.filter(tellsOfALostTrainer));
  },
  /** rounds of dynamic sampling before each rollout */
  async dynamic(ground) {
    await runThrough(
      { ...ground, recipe: policyRecipe(ground, { dynamic_sampling: true }) },
      'dynamic',
      [],
      null,
    );
    await record('dynamic-sampling-stage', await historiesOf(ground, stageOf('dynamic')));
  },
  /** a reference policy, and a rollout that two steps train on */
  async reference(ground) {
    await runThrough({ ...ground, recipe: policyRecipe(ground) }, 'reference', [], null);
    await record('reference-stage', await historiesOf(ground, stageOf('reference')));
  },
  /** paused and resumed within a rollout */
  async paused(ground) {
    const crew = await startCrew(ground, 'paused');
    try {
      await launchRun({ ...ground, recipe: policyRecipe(ground, { max_steps: 12 }) }, 'paused', null);
      await awaitStep(ground, 'paused', 2);
      await tell(ground, 'paused', messages.pause, { author: 'operator' });
      if ((await awaitRest(ground, 'paused')) !== 'paused') throw new Error('expected the run to pause');
      await tell(ground, 'paused', messages.resume);
      await awaitStatus(ground, 'paused', 'complete');
    } finally {
      await crew.stop();
    }
    await record('paused-stage', await historiesOf(ground, stageOf('paused')));
  },
  /** a policy, examples sampled from it and trained on, a reward model, and the run around them */
  async supervised(ground) {
    const recipe = supervisedRecipe()(ground.recipe.base);
    await runThrough({ ...ground, recipe }, 'supervised', [], null);
    const of = (stage: string) => historiesOf(ground, stageOf('supervised', stage));
    await record('supervised-run', await historiesOf(ground, runWorkflowId('supervised')));
    await record('supervised-stage', await of(SFT_STAGE));
    await record('reward-model-stage', await of(REWARD_MODEL_STAGE));
  },
  /** without an end: a rollout is sampled, and its scores are being computed */
  async scoring(ground) {
    await recordUnfinished(ground, 'scoring', 'rewards', ({ events }) => {
      const left = pending(events ?? []);
      return left.length === 1 && left[0] === 'scoreRollout';
    });
  },
  /** without an end: a rollout is scored, and its first batch is being made */
  async batching(ground) {
    const recipe = policyRecipe(ground);
    const crew = await startCrew(ground, 'batching', { failpoints: ['batch-object:3=stop'] });
    try {
      await launchRun({ ...ground, recipe }, 'batching', null);
      await awaitStep(ground, 'batching', 2);
      const histories = await untilHistory(ground, 'batching', ({ events }) =>
        pending(events ?? []).includes('makeBatch'),
      );
      await record('batching-stage', histories);
    } finally {
      await crew.stop();
    }
  },
};

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in recordings));
if (unknown.length > 0)
  throw new Error(`expected names of ${Object.keys(recordings).join(', ')}, found ${unknown.join(', ')}`);
for (const [name, make] of Object.entries(recordings)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  // Servers of its own: a run without an end would keep its place in the queue for the trainer.
  const ground = await openGround();
  try {
    await make(ground);
  } finally {
    await ground.close();
  }
}

/** A stage with a reference policy whose rollouts are trained in two steps each. */
function policyRecipe({ recipe }: Ground, options: object = {}): Recipe {
  const [stage] = recipe.stages;
  return recipeSchema.parse({
    ...recipe,
    stages: [
      {
        ...stage,
        options: {
          ...stage?.options,
          max_steps: 6,
          save_steps: 4,
          steps_per_generation: 2,
          num_iterations: 1,
          dynamic_sampling: false,
          ref_model_sync_steps: 3,
          ...options,
        },
      },
    ],
  });
}

function stageOf(run: string, stage = STAGE): string {
  return stageWorkflowId({ run, stage });
}

/** Records a stage at a moment at which one kind of worker is stopped, and the history shows what is waited for. */
async function recordUnfinished(
  ground: Ground,
  run: string,
  stopped: string,
  isWanted: (history: History) => boolean,
): Promise<void> {
  const crew = await startCrew(ground, run);
  try {
    await launchRun({ ...ground, recipe: policyRecipe(ground, { max_steps: 40 }) }, run, null);
    await awaitStep(ground, run, 2);
    const pid = crew.state().processes.find(({ name }) => name === stopped)?.identity?.pid;
    if (!pid) throw new Error(`expected a process ${stopped}, found none`);
    process.kill(pid, 'SIGSTOP');
    await record(`${run}-stage`, await untilHistory(ground, run, isWanted));
  } finally {
    await crew.stop();
  }
}

/** The histories of a run's stage, once the last of them is as wanted. */
async function untilHistory(
  ground: Ground,
  run: string,
  isWanted: (history: History) => boolean,
): Promise<History[]> {
  for (;;) {
    const histories = await historiesOf(ground, stageOf(run));
    const last = histories.at(-1);
    if (last !== undefined && isWanted(last)) return histories;
    await sleep(100);
  }
}

/** Names of the activities that are scheduled and not completed. */
function pending(events: NonNullable<History['events']>): string[] {
  const left = new Map<string, string>();
  for (const event of events) {
    const name = event.activityTaskScheduledEventAttributes?.activityType?.name;
    if (name) left.set(String(event.eventId), name);
    const done = event.activityTaskCompletedEventAttributes;
    if (done) left.delete(String(done.scheduledEventId));
  }
  return [...left.values()];
}

/** The histories of a workflow, from the first to the one that ended it: a stage goes on in new ones on its way. */
async function historiesOf({ connections }: Ground, workflowId: string): Promise<History[]> {
  const client = await connections.temporal();
  const runs: { runId: string; startTime: Date }[] = [];
  for await (const run of client.workflow.list({ query: `WorkflowId = '${workflowId}'` })) runs.push(run);
  runs.sort((a, b) => a.startTime.getTime() - b.startTime.getTime());
  return Promise.all(runs.map(({ runId }) => client.workflow.getHandle(workflowId, runId).fetchHistory()));
}

function tellsOfALostTrainer({ events }: History): boolean {
  const signals = (events ?? []).map((event) => event.workflowExecutionSignaledEventAttributes?.signalName);
  return signals.includes(messages.trainerLost);
}

/** One file a history, one line an event. */
async function record(name: string, histories: History[]): Promise<void> {
  for (const [index, history] of histories.entries()) {
    const { events } = anonymous(historyToJSON(history)) as { events: unknown[] };
    const lines = events.map((event) => JSON.stringify(event)).join(',\n');
    await writeFile(join(import.meta.dirname, `${name}-${index + 1}.json`), `{"events":[\n${lines}\n]}\n`);
  }
}

/** Without names of machines, processes and folders; queues are called by the machine, in payloads as well. */
function anonymous(history: string): unknown {
  const here = (text: string) => text.replaceAll(hostname(), 'machine');
  const recode = (data: string) =>
    Buffer.from(here(Buffer.from(data, 'base64').toString())).toString('base64');
  return JSON.parse(history, (key, value: unknown) => {
    if (typeof value !== 'string') return value;
    if (key === 'identity') return 'worker';
    if (key === 'stackTrace') return '';
    return key === 'data' ? recode(value) : here(value);
  });
}

/**
 * Records the histories that `test/workflows/replay.test.ts` replays: `node --import tsx test/replay/record.ts`. To be
 * run again, and its files committed, when a change to the workflows is meant to break those under way.
 */
import { writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { type History, historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { messages, runWorkflowId, stageWorkflowId } from '../../contracts/workflows.ts';
import { type Ground, openGround, runThrough, STAGE } from '../durability/ground.ts';

const ground = await openGround();
try {
  await runThrough(ground, 'undisturbed');
  await record('undisturbed-run', await historiesOf(ground, runWorkflowId('undisturbed')));
  await record('undisturbed-stage', await historiesOf(ground, stageOf('undisturbed')));
  await runThrough(ground, 'lost', ['trained:9']);
  const histories = await historiesOf(ground, stageOf('lost'));
  await record('trainer-lost-stage', histories.filter(tellsOfALostTrainer));
} finally {
  await ground.close();
}

function stageOf(run: string): string {
  return stageWorkflowId({ run, stage: STAGE });
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

/** What the histories and rows of a run say of it: the time of its calls, its events, its rows. */
import type { Client } from '@temporalio/client';
import type { History } from '@temporalio/common/lib/proto-utils.js';
import type { Database } from '../../../stores/database/database.ts';

/** A completed call of an activity, by the server's clock in milliseconds since the epoch. */
export interface Call {
  name: string;
  startedAt: number;
  endedAt: number;
  /** whether its input names objects of an evaluation */
  evaluates: boolean;
}

export interface Histories {
  calls: Call[];
  /** events of the stage's longest history */
  events: number;
  /** bytes of all of the stage's histories */
  bytes: number;
}

/** All histories of a workflow, those that it went on from included. */
export async function historiesOf(client: Client, workflowId: string): Promise<Histories> {
  const found: Histories = { calls: [], events: 0, bytes: 0 };
  for await (const { runId } of client.workflow.list({ query: `WorkflowId = '${workflowId}'` })) {
    const handle = client.workflow.getHandle(workflowId, runId);
    const [history, { historyLength, historySize = 0 }] = await Promise.all([
      handle.fetchHistory(),
      handle.describe(),
    ]);
    found.calls.push(...callsIn(history));
    found.events = Math.max(found.events, historyLength);
    found.bytes += historySize;
  }
  return found;
}

function callsIn({ events }: History): Call[] {
  const scheduled = new Map<string, Pick<Call, 'name' | 'evaluates'>>();
  const started = new Map<string, number>();
  const calls: Call[] = [];
  for (const { eventId, eventTime, ...event } of events ?? []) {
    const at = 1000 * Number(eventTime?.seconds) + Number(eventTime?.nanos) / 1e6;
    const { activityType, input } = event.activityTaskScheduledEventAttributes ?? {};
    if (activityType?.name) {
      const text = Buffer.from(input?.payloads?.[0]?.data ?? []).toString();
      scheduled.set(String(eventId), { name: activityType.name, evaluates: text.includes('/evaluations/') });
    }
    const begun = event.activityTaskStartedEventAttributes?.scheduledEventId;
    if (begun != null) started.set(String(begun), at);
    const ended = String(event.activityTaskCompletedEventAttributes?.scheduledEventId);
    const call = scheduled.get(ended);
    if (call !== undefined) calls.push({ ...call, startedAt: started.get(ended) ?? at, endedAt: at });
  }
  return calls;
}

/** Rows of every table that has any. */
export async function rowsByTable(database: Database): Promise<Record<string, number>> {
  const tables = await database.query<{ name: string }>(
    "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY table_name",
    [],
  );
  const counts: Record<string, number> = {};
  for (const { name } of tables) {
    const [row] = await database.query<{ rows: number }>(`SELECT count(*)::int AS rows FROM "${name}"`, []);
    if (row !== undefined && row.rows > 0) counts[name] = row.rows;
  }
  return counts;
}

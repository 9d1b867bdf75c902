import { join } from 'node:path';
import { inspect } from 'node:util';
import {
  DefaultLogger,
  type LogEntry,
  type Logger,
  NativeConnection,
  Runtime,
  type Worker,
} from '@temporalio/worker';
import type { Stores } from '../activities/dependencies.ts';
import { createFailpoints, type Failpoints } from '../activities/failpoints.ts';
import {
  type Connections,
  connectionsFromSettings,
  type TrainerConnections,
  trainerConnections,
} from '../infra/connections.ts';
import { readSettings, type Settings } from '../infra/settings.ts';
import { ignoreOutputErrors, writeLine } from '../infra/supervisor/log-lines.ts';
import { createDatabase } from '../stores/database/database.ts';
import { createObjectStore } from '../stores/objects/objects.ts';
import { keepSmallObjects } from '../stores/objects/small-objects.ts';

/**
 * How often a heartbeat is sent at most. By default it is sent after four fifths of the heartbeat timeout: on a loaded
 * machine the last fifth is too short.
 */
export const heartbeats = { maxHeartbeatThrottleInterval: '2 seconds' } as const;

/** Time after SIGTERM until activities are cancelled, and until the process ends in any case. */
export const shutdownTimes = { shutdownGraceTime: '2 seconds', shutdownForceTime: '15 seconds' } as const;

/** What every worker process needs. A trainer needs no more: it has no connection to the database. */
export interface ProcessContext {
  settings: Settings;
  connections: TrainerConnections;
  connection: NativeConnection;
  objects: Stores['objects'];
  failpoints: Failpoints;
  logger: Logger;
}

export interface WorkerContext extends Omit<ProcessContext, 'objects' | 'connections'> {
  connections: Connections;
  stores: Stores;
}

/** Writes lines as Temporal's own logger does, but drops a line that the disk has no free space for. */
function logLine({ level, timestampNanos, message, meta }: LogEntry): void {
  const at = new Date(Number(timestampNanos / 1_000_000n)).toISOString();
  const more = meta === undefined ? '' : ` ${inspect(meta)}`;
  writeLine(process.stderr.fd, `${at} [${level}] ${message}${more}`);
}

/** Opens the settings, a connection to Temporal, and the object store. */
export async function openProcessContext(): Promise<ProcessContext> {
  const settings = readSettings();
  const connections = trainerConnections(settings);
  ignoreOutputErrors();
  const logger = new DefaultLogger('INFO', logLine);
  Runtime.install({ logger, shutdownSignals: [] });
  const connection = await NativeConnection.connect({ address: connections.temporal.address });
  const failpoints = createFailpoints(settings.failpoints, join(settings.home, 'failpoints'));
  const objects = createObjectStore(connections.s3);
  return { settings, connections, connection, objects, failpoints, logger };
}

/** The same with both stores. Small objects are kept in memory: a step reads the same records several times. */
export async function openWorkerContext(): Promise<WorkerContext> {
  const { objects, ...context } = await openProcessContext();
  const connections = connectionsFromSettings(context.settings);
  return {
    ...context,
    connections,
    stores: { database: createDatabase(connections.postgres.url), objects: keepSmallObjects(objects) },
  };
}

export async function closeWorkerContext({ connection, stores }: WorkerContext): Promise<void> {
  await stores.database.close();
  await connection.close();
}

/** Calls `stop` once, on the first SIGTERM or SIGINT. */
export function onStopSignal(stop: () => void): void {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, stop);
}

/** Runs workers until a stop signal, or until one of them fails. */
export async function runUntilStopped(...workers: Worker[]): Promise<void> {
  const stop = () => {
    for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
  };
  onStopSignal(stop);
  await Promise.all(workers.map((worker) => worker.run().finally(stop)));
}

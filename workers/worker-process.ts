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
import { type Connections, connectionsFromSettings } from '../infra/connections.ts';
import { readSettings, type Settings } from '../infra/settings.ts';
import { ignoreOutputErrors, writeLine } from '../infra/supervisor/log-lines.ts';
import { createDatabase } from '../stores/database/database.ts';
import { createObjectStore } from '../stores/objects/objects.ts';

/**
 * How often a heartbeat is sent at most. By default it is sent after four fifths of the heartbeat timeout: on a loaded
 * machine the last fifth is too short.
 */
export const heartbeats = { maxHeartbeatThrottleInterval: '2 seconds' } as const;

/** Time after SIGTERM until activities are cancelled, and until the process ends in any case. */
export const shutdownTimes = { shutdownGraceTime: '2 seconds', shutdownForceTime: '15 seconds' } as const;

export interface WorkerContext {
  settings: Settings;
  connections: Connections;
  connection: NativeConnection;
  stores: Stores;
  failpoints: Failpoints;
  logger: Logger;
}

/** Writes lines as Temporal's own logger does, but drops a line that the disk has no free space for. */
function logLine({ level, timestampNanos, message, meta }: LogEntry): void {
  const at = new Date(Number(timestampNanos / 1_000_000n)).toISOString();
  const more = meta === undefined ? '' : ` ${inspect(meta)}`;
  writeLine(process.stderr.fd, `${at} [${level}] ${message}${more}`);
}

/** Opens what every worker process needs: its settings, a connection to Temporal, the two stores. */
export async function openWorkerContext(): Promise<WorkerContext> {
  const settings = readSettings();
  const connections = connectionsFromSettings(settings);
  ignoreOutputErrors();
  const logger = new DefaultLogger('INFO', logLine);
  Runtime.install({ logger, shutdownSignals: [] });
  const connection = await NativeConnection.connect({ address: connections.temporal.address });
  const stores = {
    database: createDatabase(connections.postgres.url),
    objects: createObjectStore(connections.s3),
  };
  const failpoints = createFailpoints(settings.failpoints, join(settings.home, 'failpoints'));
  return { settings, connections, connection, stores, failpoints, logger };
}

export async function closeWorkerContext({ connection, stores }: WorkerContext): Promise<void> {
  await stores.database.close();
  await connection.close();
}

/** Calls `stop` once, on the first SIGTERM or SIGINT. */
export function onStopSignal(stop: () => void): void {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, stop);
}

/** Runs a worker until a stop signal. */
export async function runUntilStopped(worker: Worker): Promise<void> {
  onStopSignal(() => {
    if (worker.getState() === 'RUNNING') worker.shutdown();
  });
  await worker.run();
}

import { join } from 'node:path';
import { DefaultLogger, type Logger, NativeConnection, Runtime, type Worker } from '@temporalio/worker';
import type { Stores } from '../activities/dependencies.ts';
import { createFailpoints, type Failpoints } from '../activities/failpoints.ts';
import { type Connections, connectionsFromSettings } from '../infra/connections.ts';
import { readSettings, type Settings } from '../infra/settings.ts';
import { createDatabase } from '../stores/database.ts';
import { createObjectStore } from '../stores/objects.ts';

/** Time that activities get to end after SIGTERM before they are cancelled, and until the process gives up. */
export const shutdownTimes = { shutdownGraceTime: '2 seconds', shutdownForceTime: '15 seconds' } as const;

export interface WorkerSurroundings {
  settings: Settings;
  connections: Connections;
  connection: NativeConnection;
  stores: Stores;
  failpoints: Failpoints;
  logger: Logger;
}

/** What every worker process begins with: its settings, a connection to Temporal, the two stores. */
export async function openSurroundings(): Promise<WorkerSurroundings> {
  const settings = readSettings();
  const connections = connectionsFromSettings(settings);
  const logger = new DefaultLogger('INFO');
  Runtime.install({ logger, shutdownSignals: [] });
  const connection = await NativeConnection.connect({ address: connections.temporal.address });
  const stores = {
    database: createDatabase(connections.postgres.url),
    objects: createObjectStore(connections.s3),
  };
  const failpoints = createFailpoints(settings.failpoints, join(settings.home, 'failpoints'));
  return { settings, connections, connection, stores, failpoints, logger };
}

export async function closeSurroundings({ connection, stores }: WorkerSurroundings): Promise<void> {
  await stores.database.close();
  await connection.close();
}

/** Calls `stop` once, on the first SIGTERM or SIGINT. */
export function onStopSignal(stop: () => void): void {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, stop);
}

/** Runs a worker until it is told to stop. */
export async function runUntilStopped(worker: Worker): Promise<void> {
  onStopSignal(() => {
    if (worker.getState() === 'RUNNING') worker.shutdown();
  });
  await worker.run();
}

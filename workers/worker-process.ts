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
import { outliveLostOutput, writeLine } from '../infra/supervisor/log-lines.ts';
import { createDatabase } from '../stores/database/database.ts';
import { createObjectStore } from '../stores/objects/objects.ts';

/**
 * How often a heartbeat goes to the server at most. By default that is at four fifths of the time after which silence
 * counts as death: on a loaded machine the fifth that is left is too little.
 */
export const heartbeats = { maxHeartbeatThrottleInterval: '2 seconds' } as const;

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

/** As Temporal's own logger writes it, but a line that finds no room on the disk is lost, and nothing else with it. */
function logLine({ level, timestampNanos, message, meta }: LogEntry): void {
  const at = new Date(Number(timestampNanos / 1_000_000n)).toISOString();
  const more = meta === undefined ? '' : ` ${inspect(meta)}`;
  writeLine(process.stderr.fd, `${at} [${level}] ${message}${more}`);
}

/** What every worker process begins with: its settings, a connection to Temporal, the two stores. */
export async function openSurroundings(): Promise<WorkerSurroundings> {
  const settings = readSettings();
  const connections = connectionsFromSettings(settings);
  outliveLostOutput();
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

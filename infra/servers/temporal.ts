import { join } from 'node:path';
import { runCommand } from '../machine/command.ts';
import { makeFolder } from '../machine/file-errors.ts';
import { LOOPBACK, type Ports } from '../machine/ports.ts';
import type { HomePaths } from '../paths.ts';
import type { ManagedProcess } from '../supervisor/managed-process.ts';

type Options = {
  binary: string;
  paths: HomePaths;
  namespace: string;
  ports: Pick<Ports, 'temporal' | 'temporalUi' | 'temporalHttp' | 'temporalMetrics'>;
  /** `key=value` each, added to what is always set */
  dynamicConfig: readonly string[];
  environment: Record<string, string>;
};

/** The local Temporal development server with its UI, its histories in a file. */
export function temporalServer(options: Options): ManagedProcess {
  const { binary, paths, environment } = options;
  makeFolder(paths.temporal, 0o700);
  return {
    name: 'temporal',
    role: 'temporal',
    command: binary,
    args: ['server', 'start-dev', ...flags(options)],
    cwd: paths.temporal,
    environment: { ...environment, GOMEMLIMIT: '512MiB' },
    isReady: () => namespaceAnswers(options),
  };
}

const DYNAMIC = [
  // By default its single shard polls 20 times a second, and every task waits up to 50 ms.
  'history.transferProcessorMaxPollRPS=1000',
  // Any web page could send commands to its HTTP API. Nothing here uses it: the UI and workers use gRPC.
  'frontend.httpAllowedHosts=["closed.invalid"]',
];

/** A write-ahead log with `synchronous=normal` avoids a sync at each event. */
function flags({ paths, namespace, ports, dynamicConfig }: Options): string[] {
  return [
    ...['--ip', LOOPBACK, '--port', String(ports.temporal), '--ui-port', String(ports.temporalUi)],
    ...['--http-port', String(ports.temporalHttp), '--metrics-port', String(ports.temporalMetrics)],
    ...['--db-filename', join(paths.temporal, 'temporal.db'), '--namespace', namespace],
    ...[...DYNAMIC, ...dynamicConfig].flatMap((value) => ['--dynamic-config-value', value]),
    ...['--sqlite-pragma', 'journal_mode=wal', '--sqlite-pragma', 'synchronous=normal'],
    ...['--log-level', 'warn'],
  ];
}

async function namespaceAnswers({ binary, namespace, ports, environment }: Options): Promise<boolean> {
  const address = `${LOOPBACK}:${ports.temporal}`;
  const describe = ['operator', 'namespace', 'describe', '--namespace', namespace, '--address', address];
  await runCommand(binary, [...describe, '--command-timeout', '3s'], { timeoutSeconds: 10, environment });
  return true;
}

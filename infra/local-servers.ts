import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { findBinary } from './binaries.ts';
import { type BinaryPin, TEMPORAL, WEED } from './binary-pins.ts';
import type { ManagedProcess } from './managed-process.ts';
import type { HomePaths } from './paths.ts';
import {
  choosePorts,
  isPortFree,
  type NamedPorts,
  type PortName,
  type Ports,
  readLastPorts,
} from './ports.ts';
import { preparePostgres, withoutPassword } from './postgres.ts';
import { seaweedServer } from './seaweed.ts';
import type { Secrets } from './secrets.ts';
import type { Settings } from './settings.ts';
import type { Addresses } from './state.ts';
import { temporalServer } from './temporal.ts';

export type Progress = (line: string) => void;

type Part = 'temporal' | 'postgres' | 's3';

const PORTS_OF: Record<Part, readonly PortName[]> = {
  temporal: ['temporal', 'temporalUi'],
  postgres: ['postgres'],
  s3: [
    's3',
    's3Grpc',
    'master',
    'masterGrpc',
    'volume',
    'volumeGrpc',
    'filer',
    'filerGrpc',
    'admin',
    'adminGrpc',
  ],
};

/** Ports are chosen and taken by one stack of this user at a time. */
export function portLock(): string {
  return join(tmpdir(), `r1-ports-${userInfo().uid}.lock`);
}

/** The parts that the local stack must serve: those without an address of their own. */
export function localParts(settings: Settings): Part[] {
  const external: Record<Part, string | undefined> = {
    temporal: settings.temporal.address,
    postgres: settings.postgres.url,
    s3: settings.s3.endpoint,
  };
  return (Object.keys(external) as Part[]).filter((part) => external[part] === undefined);
}

export function chooseLocalPorts(settings: Settings, paths: HomePaths): Promise<Partial<Ports>> {
  const wanted = localParts(settings).flatMap((part) => PORTS_OF[part]);
  return choosePorts(wanted, namedPorts(settings), readLastPorts(paths.ports), isPortFree(settings.bind));
}

function namedPorts({ temporal, postgres, s3 }: Settings): NamedPorts {
  const named: [PortName, string, number | undefined][] = [
    ['temporal', 'R1_PORT_TEMPORAL', temporal.port],
    ['temporalUi', 'R1_PORT_TEMPORAL_UI', temporal.uiPort],
    ['postgres', 'R1_PORT_POSTGRES', postgres.port],
    ['s3', 'R1_PORT_S3', s3.port],
  ];
  return Object.fromEntries(
    named.flatMap(([name, variable, port]) => (port === undefined ? [] : [[name, { port, variable }]])),
  );
}

/** Where the servers will be: the environment's addresses, else the local ones at the chosen ports. */
export function addressesOf({ temporal, postgres, s3, bind }: Settings, ports: Partial<Ports>): Addresses {
  return {
    temporal: {
      external: temporal.address !== undefined,
      address: temporal.address ?? `${bind}:${ports.temporal}`,
      namespace: temporal.namespace,
      ui: temporal.address === undefined ? `http://${bind}:${ports.temporalUi}` : null,
    },
    postgres: {
      external: postgres.url !== undefined,
      url: withoutPassword(postgres.url ?? `postgres://r1@${bind}:${ports.postgres}/r1`),
    },
    s3: {
      external: s3.endpoint !== undefined,
      endpoint: s3.endpoint ?? `http://${bind}:${ports.s3}`,
      bucket: s3.bucket,
      region: s3.region,
      forcePathStyle: s3.forcePathStyle,
    },
  };
}

type Preparation = {
  settings: Settings;
  paths: HomePaths;
  secrets: Secrets;
  ports: Ports;
  environment: Record<string, string>;
  onProgress: Progress;
};

/** What a part needs before it can be started, and what to tell once it is ready. */
export type PreparedServer = { process: ManagedProcess; ready: string; data?: string };

const PREPARE: Record<Part, (preparation: Preparation) => Promise<PreparedServer>> = {
  temporal: async ({ settings, paths, ports, environment, onProgress }) => {
    const { bind: host, temporal } = settings;
    const binary = await find(TEMPORAL, temporal.binary, settings, onProgress);
    const process = temporalServer({
      binary,
      paths,
      host,
      namespace: temporal.namespace,
      ports,
      environment,
    });
    return {
      process,
      ready: `Temporal on ${host}:${ports.temporal}, its UI on http://${host}:${ports.temporalUi}`,
    };
  },
  postgres: async ({ settings, paths, secrets, ports, environment, onProgress }) => {
    const { bind: host } = settings;
    const options = { paths, secrets, host, port: ports.postgres, environment, onProgress };
    const { process, data, version } = await preparePostgres(options);
    return { process, data, ready: `PostgreSQL ${version} on ${host}:${ports.postgres}` };
  },
  s3: async ({ settings, paths, secrets, ports, environment, onProgress }) => {
    const { bind: host, s3 } = settings;
    const binary = await find(WEED, s3.binary, settings, onProgress);
    const process = seaweedServer({ binary, paths, secrets, host, bucket: s3.bucket, ports, environment });
    return { process, ready: `S3 (SeaweedFS) on http://${host}:${ports.s3}` };
  },
};

export function prepareServers(preparation: Preparation): Promise<PreparedServer[]> {
  return Promise.all(localParts(preparation.settings).map((part) => PREPARE[part](preparation)));
}

function find(
  pin: BinaryPin,
  named: string | undefined,
  settings: Settings,
  onProgress: Progress,
): Promise<string> {
  const { searchPath, cache } = settings;
  return findBinary(pin, { named, searchPath, cache, onProgress });
}

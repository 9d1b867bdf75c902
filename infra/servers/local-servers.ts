import { messageOf, StackError } from '../errors.ts';
import { LOOPBACK, type NamedPorts, type PortName, type Ports } from '../machine/ports.ts';
import type { HomePaths } from '../paths.ts';
import type { Settings } from '../settings.ts';
import type { ManagedProcess } from '../supervisor/managed-process.ts';
import type { Addresses } from '../supervisor/state.ts';
import { findBinary } from './binaries.ts';
import { type BinaryPin, TEMPORAL, WEED } from './binary-pins.ts';
import { preparePostgres, withoutPassword } from './postgres.ts';
import { seaweedServer } from './seaweed.ts';
import type { Secrets } from './secrets.ts';
import { temporalServer } from './temporal.ts';

export type Progress = (line: string) => void;

type Part = 'temporal' | 'postgres' | 's3';

/** The servers that the local stack runs: those without an address in the environment. */
function localParts(settings: Settings): Part[] {
  const external: Record<Part, string | undefined> = {
    temporal: settings.temporal.address,
    postgres: settings.postgres.url,
    s3: settings.s3.endpoint,
  };
  return (Object.keys(external) as Part[]).filter((part) => external[part] === undefined);
}

/** The ports that the user named for local servers. */
export function namedPorts(settings: Settings): NamedPorts {
  const { temporal, postgres, s3 } = settings;
  const parts = localParts(settings);
  const named: [Part, PortName, string, number | undefined][] = [
    ['temporal', 'temporal', 'R1_PORT_TEMPORAL', temporal.port],
    ['temporal', 'temporalUi', 'R1_PORT_TEMPORAL_UI', temporal.uiPort],
    ['postgres', 'postgres', 'R1_PORT_POSTGRES', postgres.port],
    ['s3', 's3', 'R1_PORT_S3', s3.port],
  ];
  return Object.fromEntries(
    named.flatMap(([part, name, variable, port]) =>
      port !== undefined && parts.includes(part) ? [[name, { port, variable }]] : [],
    ),
  );
}

/** Addresses of the servers: those of the environment, or else local ones at the chosen ports. */
export function addressesOf({ temporal, postgres, s3 }: Settings, ports: Ports): Addresses {
  return {
    temporal: {
      external: temporal.address !== undefined,
      address: temporal.address ?? `${LOOPBACK}:${ports.temporal}`,
      namespace: temporal.namespace,
      ui: temporal.address === undefined ? `http://${LOOPBACK}:${ports.temporalUi}` : null,
    },
    postgres: {
      external: postgres.url !== undefined,
      url: withoutPassword(postgres.url ?? `postgres://r1@${LOOPBACK}:${ports.postgres}/r1`),
    },
    s3: {
      external: s3.endpoint !== undefined,
      endpoint: s3.endpoint ?? `http://${LOOPBACK}:${ports.s3}`,
      bucket: s3.bucket,
      region: s3.region,
      forcePathStyle: s3.forcePathStyle,
    },
  };
}

const BINARY_OF: Partial<Record<Part, BinaryPin>> = { temporal: TEMPORAL, s3: WEED };

export type Binaries = Partial<Record<Part, string>>;

/** Finds or downloads the binaries of the local servers. */
export async function findBinaries(
  settings: Settings,
  onProgress: Progress,
  signal: AbortSignal,
): Promise<Binaries> {
  const { searchPath, cache, temporal, s3 } = settings;
  const named: Binaries = { temporal: temporal.binary, s3: s3.binary };
  const found = localParts(settings).map(async (part) => {
    const pin = BINARY_OF[part];
    const search = { named: named[part], searchPath, cache, onProgress, signal };
    return pin === undefined ? [] : [[part, await findBinary(pin, search)] as const];
  });
  return Object.fromEntries((await allOrErrors(found)).flat());
}

/** Waits for all of them, and reports all their errors together. */
async function allOrErrors<Result>(promises: Promise<Result>[]): Promise<Result[]> {
  const settled = await Promise.allSettled(promises);
  const errors = settled.flatMap((one) => (one.status === 'rejected' ? [messageOf(one.reason)] : []));
  if (errors.length > 0) throw new StackError(errors.join('\n'));
  return Promise.all(promises);
}

type Preparation = {
  settings: Settings;
  paths: HomePaths;
  secrets: Secrets;
  binaries: Binaries;
  ports: Ports;
  environment: Record<string, string>;
  onProgress: Progress;
};

/** A server that is ready to be started, and the line of progress for when it serves. */
export type PreparedServer = { process: ManagedProcess; ready: string; data?: string };

const PREPARE: Record<Part, (preparation: Preparation) => Promise<PreparedServer>> = {
  temporal: async ({ settings, paths, binaries, ports, environment }) => {
    const { namespace, dynamicConfig } = settings.temporal;
    const binary = binaries.temporal ?? TEMPORAL.name;
    const process = temporalServer({ binary, paths, namespace, ports, dynamicConfig, environment });
    const ui = `http://${LOOPBACK}:${ports.temporalUi}`;
    return { process, ready: `Temporal on ${LOOPBACK}:${ports.temporal}, its UI on ${ui}` };
  },
  postgres: async ({ paths, secrets, ports, environment, onProgress }) => {
    const options = { paths, secrets, port: ports.postgres, environment, onProgress };
    const { process, data, version } = await preparePostgres(options);
    return { process, data, ready: `PostgreSQL ${version} on ${LOOPBACK}:${ports.postgres}` };
  },
  s3: async ({ settings, paths, secrets, binaries, ports, environment }) => {
    const { bucket, region } = settings.s3;
    const binary = binaries.s3 ?? WEED.name;
    const process = seaweedServer({ binary, paths, secrets, bucket, region, ports, environment });
    return { process, ready: `S3 (SeaweedFS) on http://${LOOPBACK}:${ports.s3}` };
  },
};

export function prepareServers(preparation: Preparation): Promise<PreparedServer[]> {
  return Promise.all(localParts(preparation.settings).map((part) => PREPARE[part](preparation)));
}

/** Lines of progress for external servers. */
export function externalLines({ temporal, postgres, s3 }: Addresses): string[] {
  const lines: [boolean, string][] = [
    [temporal.external, `Temporal on ${temporal.address}, left as it is`],
    [postgres.external, `PostgreSQL on ${postgres.url}, left as it is`],
    [s3.external, `S3 on ${s3.endpoint}, left as it is`],
  ];
  return lines.flatMap(([external, line]) => (external ? [line] : []));
}

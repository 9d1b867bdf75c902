import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { ManagedProcess } from './managed-process.ts';
import type { HomePaths } from './paths.ts';
import { portHolder } from './port-holder.ts';
import { LOOPBACK, type Ports } from './ports.ts';
import type { Secrets } from './secrets.ts';

type Options = {
  binary: string;
  paths: HomePaths;
  secrets: Secrets;
  bucket: string;
  ports: Ports;
  environment: Record<string, string>;
};

/** The local S3 server: SeaweedFS with all its parts in one process, every port fixed. */
export function seaweedServer(options: Options): ManagedProcess {
  const { binary, paths, secrets, environment, ports } = options;
  mkdirSync(paths.s3, { recursive: true, mode: 0o700 });
  return {
    name: 's3',
    role: 's3',
    command: binary,
    args: ['mini', ...flags(options).map((flag) => `-${flag}`)],
    cwd: paths.s3,
    environment: {
      ...environment,
      AWS_ACCESS_KEY_ID: secrets.s3AccessKeyId,
      AWS_SECRET_ACCESS_KEY: secrets.s3SecretAccessKey,
      GOMEMLIMIT: '384MiB',
    },
    beforeStart: () => {
      removeSockets(ports);
      // It keeps the flags of its last start there; those of this one are to decide.
      rmSync(join(paths.s3, 'mini.options'), { force: true });
    },
    isReady: () => roundTrip(options),
  };
}

/** Left to themselves its ports move when taken; a volume server that moved is a stranger to its master. */
function flags({ paths, bucket, ports }: Options): string[] {
  return [
    `dir=${paths.s3}`,
    `ip=${LOOPBACK}`,
    `ip.bind=${LOOPBACK}`,
    `bucket=${bucket}`,
    `s3.port=${ports.s3}`,
    `s3.port.grpc=${ports.s3Grpc}`,
    `master.port=${ports.master}`,
    `master.port.grpc=${ports.masterGrpc}`,
    `volume.port=${ports.volume}`,
    `volume.port.grpc=${ports.volumeGrpc}`,
    `filer.port=${ports.filer}`,
    `filer.port.grpc=${ports.filerGrpc}`,
    `admin.port=${ports.admin}`,
    `admin.port.grpc=${ports.adminGrpc}`,
    'admin.ui=false',
    'webdav=false',
    's3.port.iceberg=0',
    's3.port.lance=0',
    'master.telemetry=false',
  ];
}

/**
 * Sockets that the server names by its ports, and leaves behind when it is killed. Where a port is held, its
 * socket belongs to whoever holds it.
 */
function removeSockets(ports: Ports): void {
  const grpc = (['s3', 'master', 'volume', 'filer', 'admin'] as const).map((part) => ({
    name: `${part}-grpc`,
    port: ports[`${part}Grpc`],
  }));
  const named = [{ name: 'filer', port: ports.filer }, { name: 's3', port: ports.s3 }, ...grpc];
  for (const { name, port } of named) {
    if (portHolder(port) === undefined) rmSync(`/tmp/seaweedfs-${name}-${port}.sock`, { force: true });
  }
}

/**
 * After a kill, reads answer 500 until every volume has been registered again. So: what was written before
 * is read back, then written anew and read back, through the filer below the S3 gateway; then the gateway answers.
 */
async function roundTrip({ ports }: Options): Promise<boolean> {
  const probe = `http://${LOOPBACK}:${ports.filer}/r1-probe/ready`;
  const before = await ask(probe);
  if (before.status !== 200 && before.status !== 404) return false;
  const written = new Date().toISOString();
  const put = await ask(probe, { method: 'PUT', body: written });
  if (put.status !== 201) return false;
  const after = await ask(probe);
  const gateway = await ask(`http://${LOOPBACK}:${ports.s3}/healthz`);
  return after.body === written && gateway.status === 200;
}

async function ask(url: string, init: RequestInit = {}): Promise<{ status: number; body: string }> {
  const response = await fetch(url, { ...init, signal: AbortSignal.timeout(5000) });
  return { status: response.status, body: await response.text() };
}

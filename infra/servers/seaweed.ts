import { createHmac } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createObjectStore, type ObjectStore } from '../../stores/objects/objects.ts';
import { isFullForS3 } from '../machine/disks.ts';
import { makeFolder } from '../machine/file-errors.ts';
import { portHolder } from '../machine/port-holder.ts';
import { LOOPBACK, type Ports } from '../machine/ports.ts';
import type { HomePaths } from '../paths.ts';
import type { ManagedProcess } from '../supervisor/managed-process.ts';
import { type CertificateFiles, readOrMakeCertificate } from './certificate.ts';
import type { Secrets } from './secrets.ts';

type Options = {
  binary: string;
  paths: HomePaths;
  secrets: Secrets;
  bucket: string;
  region: string;
  ports: Ports;
  environment: Record<string, string>;
};

/** The local S3 server: SeaweedFS with all its parts in one process, every port fixed. */
export function seaweedServer(options: Options): ManagedProcess {
  const { binary, paths, secrets, environment, ports } = options;
  makeFolder(paths.s3, 0o700);
  const objects = storeOf(options);
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
      ...internalAuthentication(secrets, readOrMakeCertificate(paths.certificates)),
      GOMEMLIMIT: '384MiB',
    },
    beforeStart: () => {
      removeSockets(ports);
      // It stores the flags of its last start there, and would use them instead of these.
      rmSync(join(paths.s3, 'mini.options'), { force: true });
    },
    isReady: () => Promise.race([roundTrip(objects, options), sleep(PROBE_SECONDS * 1000, false)]),
  };
}

/** Ports that are not fixed move when they are in use, and the master no longer knows a volume server that has moved. */
function flags({ paths, bucket, ports }: Options): string[] {
  return [
    `dir=${paths.s3}`,
    `ip=${LOOPBACK}`,
    `ip.bind=${LOOPBACK}`,
    `bucket=${bucket}`,
    // Filer and master accept commands from anyone by HTTP; the gateway uses gRPC.
    'disableHttp=true',
    `s3.port=${ports.s3}`,
    `s3.port.grpc=${ports.s3Grpc}`,
    // Pages of other origins get no answer.
    `s3.allowedOrigins=http://${LOOPBACK}:${ports.s3}`,
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

/** Settings of SeaweedFS's security.toml with a signing key; environment variables override the file. */
const SIGNED = ['JWT_SIGNING', 'JWT_SIGNING_READ', 'JWT_FILER_SIGNING', 'JWT_FILER_SIGNING_READ'];
/** Its parts that serve or call gRPC. */
const GRPC_PARTS = ['MASTER', 'VOLUME', 'FILER', 'S3', 'ADMIN', 'WORKER', 'CLIENT'];

/** Internal ports answer only the server's own parts: signed requests, and mutual TLS for gRPC. */
function internalAuthentication(
  { s3SigningKey }: Secrets,
  { certificate, key }: CertificateFiles,
): Record<string, string> {
  const derived = (purpose: string) => createHmac('sha256', s3SigningKey).update(purpose).digest('hex');
  return Object.fromEntries([
    ...SIGNED.map((name) => [`WEED_${name}_KEY`, derived(name)]),
    ['WEED_GRPC_CA', certificate],
    ...GRPC_PARTS.flatMap((part) => [
      [`WEED_GRPC_${part}_CERT`, certificate],
      [`WEED_GRPC_${part}_KEY`, key],
    ]),
    ['WEED_ADMIN_USER', 'r1'],
    ['WEED_ADMIN_PASSWORD', derived('ADMIN')],
  ]);
}

/**
 * Removes sockets that the server names by its ports, and leaves behind when it is killed. Where a port is in use, its
 * socket belongs to the process that uses it.
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

function storeOf({ secrets, bucket, region, ports }: Options): ObjectStore {
  return createObjectStore({
    endpoint: `http://${LOOPBACK}:${ports.s3}`,
    bucket,
    region,
    accessKeyId: secrets.s3AccessKeyId,
    secretAccessKey: secrets.s3SecretAccessKey,
    forcePathStyle: true,
  });
}

const PROBES = 'r1-probe/';
const PROBE_SECONDS = 10;

/**
 * After a kill, reads answer 500 until every volume is registered again. The check therefore reads the probe that the last
 * start wrote, then writes and reads another one. On a full disk it only reads: existing objects can still be served.
 */
async function roundTrip(objects: ObjectStore, { bucket, paths }: Options): Promise<boolean> {
  const before = (await objects.list(PROBES)).at(-1);
  if (before !== undefined) await objects.getByUri(`s3://${bucket}/${before.key}`);
  if (isFullForS3(paths.s3)) return true;
  const now = new Date().toISOString();
  const written = await objects.put(`${PROBES}${now.replaceAll(':', '')}`, Buffer.from(now));
  return (await objects.get(written)).length === written.bytes;
}

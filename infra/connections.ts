import { StackError } from './errors.ts';
import type { ClientSecrets } from './servers/secrets.ts';
import type { Settings } from './settings.ts';
import type { Addresses } from './supervisor/state.ts';

/** Addresses and credentials of the servers. Contains secrets: do not log or show it. */
export type Connections = {
  temporal: { address: string; namespace: string; ui: string | null };
  postgres: { url: string };
  s3: {
    endpoint: string;
    bucket: string;
    region: string;
    accessKeyId: string;
    secretAccessKey: string;
    forcePathStyle: boolean;
  };
};

/** The variables that pass these connections to a worker. */
export function connectionEnvironment({ temporal, postgres, s3 }: Connections): Record<string, string> {
  return {
    R1_TEMPORAL_ADDRESS: temporal.address,
    R1_TEMPORAL_NAMESPACE: temporal.namespace,
    R1_DATABASE_URL: postgres.url,
    R1_S3_ENDPOINT: s3.endpoint,
    R1_S3_BUCKET: s3.bucket,
    R1_S3_REGION: s3.region,
    R1_S3_ACCESS_KEY_ID: s3.accessKeyId,
    R1_S3_SECRET_ACCESS_KEY: s3.secretAccessKey,
    R1_S3_FORCE_PATH_STYLE: String(s3.forcePathStyle),
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
  };
}

/** Connections of a worker without a database. */
export type TrainerConnections = Omit<Connections, 'postgres'>;

/**
 * The connections that a worker's environment names.
 * @throws StackError naming a variable that is missing.
 */
export function connectionsFromSettings(settings: Settings): Connections {
  const url = required('R1_DATABASE_URL', settings.postgres.url);
  return { ...trainerConnections(settings), postgres: { url } };
}

/** The connections of a trainer, which uses no database. Throws StackError naming a variable that is missing. */
export function trainerConnections({ temporal, s3 }: Settings): TrainerConnections {
  return {
    temporal: {
      address: required('R1_TEMPORAL_ADDRESS', temporal.address),
      namespace: temporal.namespace,
      ui: null,
    },
    s3: {
      endpoint: required('R1_S3_ENDPOINT', s3.endpoint),
      bucket: s3.bucket,
      region: s3.region,
      accessKeyId: required('R1_S3_ACCESS_KEY_ID', s3.accessKeyId),
      secretAccessKey: required('R1_S3_SECRET_ACCESS_KEY', s3.secretAccessKey),
      forcePathStyle: s3.forcePathStyle,
    },
  };
}

function required(name: string, value: string | undefined): string {
  if (value !== undefined) return value;
  throw new StackError(
    `${name}: expected the address or credential of a server, found it not set. Start workers with r1 up, or set it.`,
  );
}

/** The addresses that the supervisor recorded, with their credentials. */
export function connectionsOf(addresses: Addresses, settings: Settings, secrets: ClientSecrets): Connections {
  const { temporal, postgres, s3 } = addresses;
  return {
    temporal: { address: temporal.address, namespace: temporal.namespace, ui: temporal.ui },
    postgres: {
      url: postgres.external ? (settings.postgres.url ?? postgres.url) : withPassword(postgres.url, secrets),
    },
    s3: {
      endpoint: s3.endpoint,
      bucket: s3.bucket,
      region: s3.region,
      forcePathStyle: s3.forcePathStyle,
      accessKeyId: s3.external ? (settings.s3.accessKeyId ?? '') : secrets.s3AccessKeyId,
      secretAccessKey: s3.external ? (settings.s3.secretAccessKey ?? '') : secrets.s3SecretAccessKey,
    },
  };
}

function withPassword(url: string, secrets: ClientSecrets): string {
  const complete = new URL(url);
  complete.password = secrets.postgresPassword;
  return complete.href;
}

import { StackError } from './errors.ts';
import type { ClientSecrets } from './servers/secrets.ts';
import type { Settings } from './settings.ts';
import type { Addresses } from './supervisor/state.ts';

/** Where the servers are and how to be let in. Holds secrets: not to be logged or shown. */
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

/** The variables that hand these connections to a worker. */
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

/**
 * The connections that a worker was handed.
 * @throws StackError naming a variable that is missing.
 */
export function connectionsFromSettings({ temporal, postgres, s3 }: Settings): Connections {
  return {
    temporal: {
      address: handed('R1_TEMPORAL_ADDRESS', temporal.address),
      namespace: temporal.namespace,
      ui: null,
    },
    postgres: { url: handed('R1_DATABASE_URL', postgres.url) },
    s3: {
      endpoint: handed('R1_S3_ENDPOINT', s3.endpoint),
      bucket: s3.bucket,
      region: s3.region,
      accessKeyId: handed('R1_S3_ACCESS_KEY_ID', s3.accessKeyId),
      secretAccessKey: handed('R1_S3_SECRET_ACCESS_KEY', s3.secretAccessKey),
      forcePathStyle: s3.forcePathStyle,
    },
  };
}

function handed(name: string, value: string | undefined): string {
  if (value !== undefined) return value;
  throw new StackError(
    `${name}: a worker expects to be told where the servers are, found it not set. Start workers by r1 up, or set it.`,
  );
}

/** Addresses as the supervisor recorded them, joined with the secrets that open them. */
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
  const opened = new URL(url);
  opened.password = secrets.postgresPassword;
  return opened.href;
}

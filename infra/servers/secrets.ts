import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { readJson, writeAtomically } from '../machine/atomic-file.ts';

const secretsSchema = z.object({
  /** Distinguishes the data of this home from those of an earlier home at the same path. */
  homeId: z.string(),
  postgresPassword: z.string(),
  s3AccessKeyId: z.string(),
  s3SecretAccessKey: z.string(),
});

const REMEDY =
  'Without it the data of this home cannot be opened: restore it from a backup, or remove everything: `r1 down --purge`.';

/** Credentials of clients. */
export type ClientSecrets = z.infer<typeof secretsSchema>;

const serverSecretsSchema = secretsSchema.extend({
  /** Parts of the S3 server sign their requests to each other with keys derived from it. Absent in homes of earlier releases. */
  s3SigningKey: z.string().optional(),
});

/** Credentials of the local servers; generated once for each home. */
export type Secrets = Required<z.infer<typeof serverSecretsSchema>>;

/** The home's secrets, in a file that only its owner can read. Missing ones are generated. */
export function readOrMakeSecrets(path: string): Secrets {
  const found = readJson(path, serverSecretsSchema, REMEDY);
  const secrets = { ...newSecrets(), ...found };
  if (found?.s3SigningKey === undefined)
    writeAtomically(path, `${JSON.stringify(secrets, null, 2)}\n`, 0o600);
  return secrets;
}

function newSecrets(): Secrets {
  return {
    homeId: randomBytes(8).toString('hex'),
    postgresPassword: randomBytes(24).toString('hex'),
    s3AccessKeyId: randomBytes(10).toString('hex'),
    s3SecretAccessKey: randomBytes(20).toString('hex'),
    s3SigningKey: randomBytes(32).toString('hex'),
  };
}

export function readSecrets(path: string): ClientSecrets | undefined {
  return readJson(path, secretsSchema, REMEDY);
}

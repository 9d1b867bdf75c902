import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { readJson, writeAtomically } from '../machine/atomic-file.ts';

const secretsSchema = z.object({
  /** Tells the data that belong to this home from those of an earlier one at the same place. */
  homeId: z.string(),
  postgresPassword: z.string(),
  s3AccessKeyId: z.string(),
  s3SecretAccessKey: z.string(),
});

const REMEDY =
  'Without it nothing opens the data of this home: restore it from a backup, or remove everything: `r1 down --purge`.';

/** What lets a client in. */
export type ClientSecrets = z.infer<typeof secretsSchema>;

const serverSecretsSchema = secretsSchema.extend({
  /** Parts of the S3 server sign by keys derived from it what they ask of each other. Homes of earlier releases lack it. */
  s3SigningKey: z.string().optional(),
});

/** What the local servers are protected with; generated once a home. */
export type Secrets = Required<z.infer<typeof serverSecretsSchema>>;

/** The home's secrets, those that are missing made, readable by their owner alone. */
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

import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { readJson, writeAtomically } from './atomic-file.ts';

const secretsSchema = z.object({
  /** Tells the data that belong to this home from those of an earlier one at the same place. */
  homeId: z.string(),
  postgresPassword: z.string(),
  s3AccessKeyId: z.string(),
  s3SecretAccessKey: z.string(),
});

/** What the local servers are protected with; generated once a home. */
export type Secrets = z.infer<typeof secretsSchema>;

/** The home's secrets, made when there are none yet, readable by their owner alone. */
export function readOrMakeSecrets(path: string): Secrets {
  const found = readSecrets(path);
  if (found !== undefined) return found;
  const made = {
    homeId: randomBytes(8).toString('hex'),
    postgresPassword: randomBytes(24).toString('hex'),
    s3AccessKeyId: randomBytes(10).toString('hex'),
    s3SecretAccessKey: randomBytes(20).toString('hex'),
  };
  writeAtomically(path, `${JSON.stringify(made, null, 2)}\n`, 0o600);
  return made;
}

export function readSecrets(path: string): Secrets | undefined {
  return readJson(path, secretsSchema);
}

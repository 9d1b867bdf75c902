import { MIGRATIONS } from '../../infra/paths.ts';
import { readSettings } from '../../infra/settings.ts';
import { ensureWorkers, findStack, type Stack, startStack } from '../../infra/stack.ts';
import { localWorkers } from '../../infra/supervisor/workers.ts';
import { migrate } from '../../stores/database/migrate.ts';
import { createObjectStore } from '../../stores/objects/objects.ts';
import { runningStack, withConnections } from './connections.ts';

/** Told what happens, a line at a time. */
export type Tell = (line: string) => void;

/**
 * Brings everything up, or finds it: servers, then schema and bucket, then the workers that need them.
 */
export async function bringUp(tell: Tell): Promise<Stack> {
  await refuseClosedS3();
  const servers = await startStack({ workers: false, onProgress: tell });
  await withConnections(async ({ database, objects }) => {
    const ran = await migrate(await database(), MIGRATIONS);
    if (ran.length > 0) tell(`database schema: ran ${ran.join(', ')}`);
    await (await objects()).ensureBucket();
  }, servers);
  await ensureWorkers(localWorkers(readSettings().trainers));
  return findStack() ?? runningStack();
}

/** An S3 that is not ours is asked first, so that nothing is started or written where it refuses us. */
async function refuseClosedS3(): Promise<void> {
  const { endpoint, accessKeyId = '', secretAccessKey = '', ...place } = readSettings().s3;
  if (endpoint === undefined) return;
  const objects = createObjectStore({ ...place, endpoint, accessKeyId, secretAccessKey });
  try {
    await objects.ensureBucket();
  } finally {
    objects.close();
  }
}

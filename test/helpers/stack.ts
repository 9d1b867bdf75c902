import { randomBytes } from 'node:crypto';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { CreateBucketCommand, DeleteBucketCommand, S3Client } from '@aws-sdk/client-s3';
import pg from 'pg';
import { readSettings, type Settings } from '../../infra/settings.ts';
import { type Stack, startStack } from '../../infra/stack.ts';

process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';

/** A running stack with a database, a bucket and names of the test's own. */
export type TestStack = Stack & {
  /** Short and random: for workflow ids, task queues, run names. */
  id: string;
};

/** Settings of the stack that all tests share: found again by each, left running for the next. */
export function testSettings(): Settings {
  const home = process.env.R1_TEST_HOME || join(tmpdir(), `r1-test-${userInfo().uid}`);
  const { PATH, HOME, XDG_CACHE_HOME, R1_CACHE } = process.env;
  return readSettings({ PATH, HOME, XDG_CACHE_HOME, R1_CACHE, R1_HOME: home });
}

/**
 * The shared stack, started if need be, without workers. `postgres.url` names a fresh, empty database and
 * `s3.bucket` a fresh, empty bucket; both go when the test ends. The Temporal server is shared: use `id`.
 */
export async function withStack(test: TestContext): Promise<TestStack> {
  const stack = await startStack({ settings: testSettings(), workers: false });
  const id = `t${randomBytes(5).toString('hex')}`;
  const url = await freshDatabase(test, stack.postgres.url, id);
  const bucket = await freshBucket(test, stack.s3, id);
  return { ...stack, id, postgres: { url }, s3: { ...stack.s3, bucket } };
}

async function freshDatabase(test: TestContext, url: string, name: string): Promise<string> {
  await administer(url, `CREATE DATABASE ${name}`);
  test.after(() => administer(url, `DROP DATABASE ${name} WITH (FORCE)`));
  const own = new URL(url);
  own.pathname = `/${name}`;
  return own.href;
}

async function administer(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(statement);
  await client.end();
}

/** SeaweedFS removes a bucket together with what is in it. */
async function freshBucket(test: TestContext, s3: Stack['s3'], name: string): Promise<string> {
  const bucket = `test-${name}`;
  const client = clientOf(s3);
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
  test.after(async () => {
    await client.send(new DeleteBucketCommand({ Bucket: bucket }));
    client.destroy();
  });
  return bucket;
}

function clientOf({ endpoint, region, accessKeyId, secretAccessKey, forcePathStyle }: Stack['s3']): S3Client {
  return new S3Client({ endpoint, region, forcePathStyle, credentials: { accessKeyId, secretAccessKey } });
}

import { createHash } from 'node:crypto';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import type { ObjectStoreSettings } from '../../stores/objects/bucket-client.ts';
import { createObjectStore, type ObjectStore } from '../../stores/objects/objects.ts';
import { withStack } from '../helpers/stack.ts';

export const bytesOf = (text: string) => new TextEncoder().encode(text);
export const sha256Of = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** An object store that is closed when the test ends. */
export function openStore(t: TestContext, settings: ObjectStoreSettings): ObjectStore {
  const store = createObjectStore(settings);
  t.after(() => store.close());
  return store;
}

/** A store in an empty bucket of the test's own. */
export async function storeOf(
  t: TestContext,
): Promise<{ store: ObjectStore; settings: ObjectStoreSettings }> {
  const { s3: settings } = await withStack(t);
  return { store: openStore(t, settings), settings };
}

/** The address of an S3 that treats every request alike. */
export async function answering(t: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

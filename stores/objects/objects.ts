import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { Failure, TRIED_AGAIN } from '../../contracts/failures.ts';
import type { Reference } from '../../contracts/reference.ts';
import { type BucketClient, type ObjectStoreSettings, openBucket } from './bucket-client.ts';
import { type ByteSource, memorySource, sha256OfSource } from './byte-source.ts';
import type { KeyOfContent } from './keys.ts';
import { PART_BYTES, putInParts, SHA256_METADATA } from './multipart.ts';
import { isAlreadyThere, isConflict, isMissing, s3Failure } from './s3-failures.ts';
import { streamObject } from './stream.ts';

/** Immutable objects in one bucket: written once, and checked against their checksum when they are read. */
export interface ObjectStore {
  readonly endpoint: string;
  readonly bucket: string;
  /**
   * Writes an object unless its key is taken. The same bytes under the same key are not an error: a
   * writer whose answer was lost writes again.
   * `onBytes`: called for every part that is written, with its size.
   * @throws Failure 'Contradiction' where the key holds other bytes.
   */
  put(key: string | KeyOfContent, bytes: Uint8Array, onBytes?: (bytes: number) => void): Promise<Reference>;
  /** The same of bytes that are not in memory. An object that is there is compared by its stored checksum. */
  putSource(
    key: string | KeyOfContent,
    source: ByteSource,
    onBytes?: (bytes: number) => void,
  ): Promise<Reference>;
  /** @throws Failure 'CorruptObject' where the object is missing or its bytes are not those of the reference. */
  get(reference: Reference): Promise<Uint8Array>;
  /**
   * Reads `length` bytes from `offset` on. The object's checksum does not cover a part alone: the caller checks it.
   * @throws Failure 'CorruptObject' where the object is missing or shorter.
   */
  getRange(reference: Reference, offset: number, length: number): Promise<Uint8Array>;
  /**
   * The object's bytes in order, read a few pieces ahead. The last piece is followed by the error where they are not those
   * of the reference: what was made of them before counts only once the stream has ended.
   * @throws Failure 'CorruptObject' as `get`.
   */
  stream(reference: Reference): AsyncGenerator<Uint8Array>;
  /** Reads an object whose checksum is not known, and returns its reference. */
  getByUri(uri: string): Promise<{ reference: Reference; bytes: Uint8Array }>;
  exists(key: string): Promise<boolean>;
  /** Deletes an object; without one, nothing happens. For objects that are marked: `stores/steps/deletion-marks.ts`. */
  delete(key: string): Promise<void>;
  /** All objects whose key begins with `prefix`, in the order of their keys. */
  list(prefix: string): Promise<{ key: string; bytes: number }[]>;
  /** Creates the bucket if it does not exist. */
  ensureBucket(): Promise<void>;
  close(): void;
}

const REMEDY = 'Restore it from a backup, or resume from a checkpoint that does not need it.';
const CONFLICT_TRIES = 5;
const CONFLICT_PAUSE_MS = 100;

/** Opens an S3; connects with the first call. */
export function createObjectStore(settings: ObjectStoreSettings): ObjectStore {
  const store = openBucket(settings);
  return {
    endpoint: store.endpoint,
    bucket: store.bucket,
    put: (key, bytes, onBytes = () => undefined) => put(store, key, memorySource(bytes), onBytes),
    putSource: (key, source, onBytes = () => undefined) => put(store, key, source, onBytes),
    get: (reference) => get(store, reference),
    getRange: (reference, offset, length) => getRange(store, reference, offset, length),
    stream: (reference) =>
      streamObject(reference, (offset, length) => getRange(store, reference, offset, length)),
    getByUri: async (uri) => {
      const { bytes, sha256 } = await download(store, uri);
      return { bytes, reference: { uri, sha256, bytes: bytes.length } };
    },
    exists: (key) => exists(store, key),
    delete: (key) => deleteObject(store, key),
    list: (prefix) => list(store, prefix),
    ensureBucket: () => ensureBucket(store, settings.region),
    close: () => store.client.destroy(),
  };
}

/** Letters, digits and `._-` between slashes; no empty part, no `..`. */
const KEY = /^(?!.*(^|\/)\.{1,2}(\/|$))[A-Za-z0-9._-]+(\/[A-Za-z0-9._-]+)*$/;
const KEY_BYTES = 1024;

/** Throws Failure 'InvalidInput' for a key that another S3 or a file system might interpret differently. */
export function refuseKey(key: string): void {
  if (KEY.test(key) && key.length <= KEY_BYTES) return;
  throw new Failure(
    'InvalidInput',
    `object key: expected at most ${KEY_BYTES} letters, digits and "._-" between single slashes, found ${JSON.stringify(key)}`,
  );
}

async function put(
  store: BucketClient,
  named: string | KeyOfContent,
  source: ByteSource,
  onBytes: (bytes: number) => void,
): Promise<Reference> {
  const sha256 = await sha256OfSource(source);
  const key = typeof named === 'string' ? named : named(sha256);
  refuseKey(key);
  const reference = { uri: `s3://${store.bucket}/${key}`, sha256, bytes: source.bytes };
  const isLarge = source.bytes > PART_BYTES;
  if (isLarge && (await agrees(store, reference))) return reference;
  // Another writer writes the same key at the same time: S3 answers with a conflict, and later the winner's object exists.
  for (let attempt = 1; attempt <= CONFLICT_TRIES; attempt++) {
    const outcome = await outcomeOf(store, key, async () => {
      if (isLarge) await putInParts(store, key, { source, sha256 }, onBytes);
      else await putWhole(store, key, source, sha256).then(() => onBytes(source.bytes));
    });
    if (outcome === 'written') return reference;
    if (outcome === 'taken' && (await agrees(store, reference))) return reference;
    await sleep(CONFLICT_PAUSE_MS * attempt);
  }
  throw new Failure(
    'Unavailable',
    `S3 at ${store.endpoint}: ${reference.uri} is being written by others. ${TRIED_AGAIN}`,
  );
}

async function outcomeOf(
  store: BucketClient,
  key: string,
  write: () => Promise<void>,
): Promise<'written' | 'taken' | 'conflict'> {
  try {
    await write();
    return 'written';
  } catch (error) {
    if (isAlreadyThere(error)) return 'taken';
    if (isConflict(error)) return 'conflict';
    throw s3Failure(error, store, `writing ${key}`);
  }
}

async function putWhole(
  { client, bucket }: BucketClient,
  key: string,
  { bytes, read }: ByteSource,
  sha256: string,
): Promise<void> {
  const checksum = Buffer.from(sha256, 'hex').toString('base64');
  await client.send(
    new PutObjectCommand({
      Bucket: bucket,
      Key: key,
      Body: await read(0, bytes),
      IfNoneMatch: '*',
      ChecksumSHA256: checksum,
    }),
  );
}

/** Whether the key holds the reference's bytes; false where there is no object. */
async function agrees(store: BucketClient, reference: Reference): Promise<boolean> {
  const found = await checksumIfThere(store, reference.uri);
  if (found === undefined) return false;
  if (found.sha256 === reference.sha256) return true;
  throw new Failure(
    'Contradiction',
    `${reference.uri}: expected to write sha256 ${reference.sha256} (${reference.bytes} bytes), ` +
      `found an object with sha256 ${found.sha256} (${found.bytes} bytes). Nothing was overwritten; find out which writer is wrong.`,
  );
}

interface Stored {
  bytes: number;
  /** in hex */
  sha256: string;
}

/**
 * Size and SHA-256 of an object: what S3 has stored with it, or where it was written in parts, what its writer has. An
 * object without either is read.
 */
async function checksumIfThere(store: BucketClient, uri: string): Promise<Stored | undefined> {
  const { bucket, key } = parseUri(uri);
  try {
    const head = await store.client.send(
      new HeadObjectCommand({ Bucket: bucket, Key: key, ChecksumMode: 'ENABLED' }),
    );
    const bytes = head.ContentLength ?? 0;
    const ofWhole = head.ChecksumSHA256?.includes('-') ? undefined : head.ChecksumSHA256;
    const sha256 =
      ofWhole === undefined
        ? head.Metadata?.[SHA256_METADATA]
        : Buffer.from(ofWhole, 'base64').toString('hex');
    if (sha256 !== undefined) return { bytes, sha256 };
    const read = (offset: number, length: number) =>
      getRange(store, { uri, bytes, sha256: '' }, offset, length);
    return { bytes, sha256: await sha256OfSource({ bytes, read }) };
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw s3Failure(error, { ...store, bucket }, `looking for ${key}`);
  }
}

async function get(store: BucketClient, reference: Reference): Promise<Uint8Array> {
  const { bytes, sha256 } = await download(store, reference.uri);
  if (bytes.length === reference.bytes && sha256 === reference.sha256) return bytes;
  throw new Failure(
    'CorruptObject',
    `${reference.uri}: expected ${reference.bytes} bytes with sha256 ${reference.sha256}, ` +
      `found ${bytes.length} bytes with sha256 ${sha256}. ${REMEDY}`,
  );
}

async function getRange(
  store: BucketClient,
  { uri, bytes: size }: Reference,
  offset: number,
  length: number,
): Promise<Uint8Array> {
  if (length === 0) return new Uint8Array();
  const last = offset + length - 1;
  const { bytes } = await download(store, uri, `bytes=${offset}-${last}`);
  if (bytes.length === length) return bytes;
  throw new Failure(
    'CorruptObject',
    `${uri}: expected bytes ${offset} to ${last} of ${size}, found ${bytes.length} bytes. ${REMEDY}`,
  );
}

interface Downloaded {
  bytes: Uint8Array;
  /** in hex */
  sha256: string;
}

async function download(store: BucketClient, uri: string, range?: string): Promise<Downloaded> {
  const found = await downloadIfThere(store, uri, range);
  if (found !== undefined) return found;
  throw new Failure(
    'CorruptObject',
    `${uri}: expected an object, found none in S3 at ${store.endpoint}. ${REMEDY}`,
  );
}

async function downloadIfThere(
  store: BucketClient,
  uri: string,
  range?: string,
): Promise<Downloaded | undefined> {
  const { bucket, key } = parseUri(uri);
  try {
    const { Body, ContentLength } = await store.client.send(
      new GetObjectCommand({ Bucket: bucket, Key: key, ...(range && { Range: range }) }),
    );
    return await collect(Body as Readable, ContentLength ?? 0);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw s3Failure(error, { ...store, bucket }, `reading ${key}`);
  }
}

/** Copies and hashes the body as it arrives. Hashing gigabytes at once would block the event loop. */
async function collect(body: Readable, length: number): Promise<Downloaded> {
  const hash = createHash('sha256');
  let bytes = new Uint8Array(length);
  let filled = 0;
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    hash.update(chunk);
    bytes = withCapacity(filled + chunk.length, bytes);
    bytes.set(chunk, filled);
    filled += chunk.length;
  }
  const whole = filled === bytes.length ? bytes : bytes.slice(0, filled);
  return { bytes: whole, sha256: hash.digest('hex') };
}

/** The same memory where it is large enough; a server may leave out the length. */
function withCapacity(length: number, bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  if (length <= bytes.length) return bytes;
  const larger = new Uint8Array(Math.max(length, 2 * bytes.length));
  larger.set(bytes);
  return larger;
}

/** The bucket and key of `s3://bucket/key`. Throws Failure 'InvalidInput'. */
function parseUri(uri: string): { bucket: string; key: string } {
  const [, bucket, key] = /^s3:\/\/([^/]+)\/(.+)$/.exec(uri) ?? [];
  if (bucket !== undefined && key !== undefined) return { bucket, key };
  throw new Failure('InvalidInput', `expected an object as s3://bucket/key, found ${JSON.stringify(uri)}`);
}

async function exists(store: BucketClient, key: string): Promise<boolean> {
  refuseKey(key);
  try {
    await store.client.send(new HeadObjectCommand({ Bucket: store.bucket, Key: key }));
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw s3Failure(error, store, `looking for ${key}`);
  }
}

async function deleteObject(store: BucketClient, key: string): Promise<void> {
  refuseKey(key);
  try {
    await store.client.send(new DeleteObjectCommand({ Bucket: store.bucket, Key: key }));
  } catch (error) {
    if (!isMissing(error)) throw s3Failure(error, store, `deleting ${key}`);
  }
}

async function list(store: BucketClient, prefix: string): Promise<{ key: string; bytes: number }[]> {
  const found: { key: string; bytes: number }[] = [];
  let token: string | undefined;
  do {
    const command = new ListObjectsV2Command({
      Bucket: store.bucket,
      Prefix: prefix,
      ContinuationToken: token,
    });
    const page = await store.client.send(command).catch((error: unknown) => {
      throw s3Failure(error, store, `listing ${prefix}`);
    });
    for (const { Key, Size } of page.Contents ?? [])
      if (Key !== undefined) found.push({ key: Key, bytes: Size ?? 0 });
    token = page.NextContinuationToken;
  } while (token !== undefined);
  return found;
}

const OWNED = new Set(['BucketAlreadyOwnedByYou', 'BucketAlreadyExists']);

async function ensureBucket(store: BucketClient, region: string): Promise<void> {
  const { client, bucket } = store;
  try {
    await client.send(new HeadBucketCommand({ Bucket: bucket }));
  } catch (error) {
    if (!isMissing(error)) throw s3Failure(error, store, 'looking for the bucket');
    await createBucket(store, region);
  }
}

async function createBucket(store: BucketClient, region: string): Promise<void> {
  // S3 refuses us-east-1 as a location constraint: it is the default.
  const configuration =
    region === 'us-east-1'
      ? {}
      : { CreateBucketConfiguration: { LocationConstraint: region as 'eu-west-1' } };
  try {
    await store.client.send(new CreateBucketCommand({ Bucket: store.bucket, ...configuration }));
  } catch (error) {
    if (error instanceof Error && OWNED.has(error.name)) return;
    throw s3Failure(error, store, 'creating the bucket');
  }
}

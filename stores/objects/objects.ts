import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CreateBucketCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { Failure, TRIED_AGAIN } from '../../contracts/failures.ts';
import type { Reference } from '../../contracts/reference.ts';
import { sha256Of } from './hashing.ts';
import type { KeyOfContent } from './keys.ts';
import { PART_BYTES, putInParts } from './multipart.ts';
import { isAlreadyThere, isConflict, isMissing, s3Failure } from './s3-failures.ts';

/** How an S3 is reached: `R1_S3_*` of the environment, or the local stack's. */
export interface ObjectStoreSettings {
  endpoint: string;
  region: string;
  bucket: string;
  accessKeyId: string;
  secretAccessKey: string;
  forcePathStyle: boolean;
}

/** Immutable objects in one bucket: written once, read with their checksum. */
export interface ObjectStore {
  readonly endpoint: string;
  readonly bucket: string;
  /**
   * Writes an object unless its key is taken. The same bytes under the same key are no error: a writer
   * whose answer was lost writes again.
   * @throws Failure 'Contradiction' where the key holds other bytes.
   */
  put(key: string | KeyOfContent, bytes: Uint8Array): Promise<Reference>;
  /** @throws Failure 'CorruptObject' where the object is missing or its bytes are not those of the reference. */
  get(reference: Reference): Promise<Uint8Array>;
  /**
   * Reads `length` bytes from `offset` on. The object's checksum says nothing of a part: the caller knows one of it.
   * @throws Failure 'CorruptObject' where the object is missing or shorter.
   */
  getRange(reference: Reference, offset: number, length: number): Promise<Uint8Array>;
  /** Reads an object whose checksum is not known beforehand, and tells it. */
  getByUri(uri: string): Promise<{ reference: Reference; bytes: Uint8Array }>;
  exists(key: string): Promise<boolean>;
  /** All objects whose key begins with `prefix`, in the order of their keys. */
  list(prefix: string): Promise<{ key: string; bytes: number }[]>;
  /** Creates the bucket if it is not there. */
  ensureBucket(): Promise<void>;
  close(): void;
}

/** Where and with what the functions below work. */
export interface Place {
  client: S3Client;
  endpoint: string;
  bucket: string;
}

const MEND = 'Restore it from a backup, or resume from a checkpoint that does not need it.';
const CONFLICT_TRIES = 5;
const CONFLICT_PAUSE_MS = 100;

/** Opens an S3; connects with the first call. */
export function createObjectStore(settings: ObjectStoreSettings): ObjectStore {
  const place: Place = { client: clientOf(settings), endpoint: settings.endpoint, bucket: settings.bucket };
  return {
    endpoint: place.endpoint,
    bucket: place.bucket,
    put: (key, bytes) => put(place, key, bytes),
    get: (reference) => get(place, reference),
    getRange: (reference, offset, length) => getRange(place, reference, offset, length),
    getByUri: async (uri) => {
      const { bytes, sha256 } = await download(place, uri);
      return { bytes, reference: { uri, sha256, bytes: bytes.length } };
    },
    exists: (key) => exists(place, key),
    list: (prefix) => list(place, prefix),
    ensureBucket: () => ensureBucket(place, settings.region),
    close: () => place.client.destroy(),
  };
}

function clientOf(settings: ObjectStoreSettings): S3Client {
  const { endpoint, region, forcePathStyle, accessKeyId, secretAccessKey } = settings;
  return new S3Client({
    endpoint,
    region,
    forcePathStyle,
    credentials: { accessKeyId, secretAccessKey },
    retryMode: 'standard',
    maxAttempts: 4,
    // Checksums are sent and compared by the functions below, over whole objects.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: {
      connectionTimeout: 3_000,
      requestTimeout: 60_000,
      throwOnRequestTimeout: true,
      socketTimeout: 60_000,
    },
  });
}

/** Letters, digits and `._-` between slashes; no empty part, no `..`. */
const KEY = /^(?!.*(^|\/)\.{1,2}(\/|$))[A-Za-z0-9._-]+(\/[A-Za-z0-9._-]+)*$/;
const KEY_BYTES = 1024;

/** Throws Failure 'InvalidInput' for a key that another S3 or a file system might read otherwise. */
export function refuseKey(key: string): void {
  if (KEY.test(key) && key.length <= KEY_BYTES) return;
  throw new Failure(
    'InvalidInput',
    `object key: expected at most ${KEY_BYTES} letters, digits and "._-" between single slashes, found ${JSON.stringify(key)}`,
  );
}

async function put(place: Place, named: string | KeyOfContent, bytes: Uint8Array): Promise<Reference> {
  const sha256 = await sha256Of(bytes);
  const key = typeof named === 'string' ? named : named(sha256);
  refuseKey(key);
  const reference = { uri: `s3://${place.bucket}/${key}`, sha256, bytes: bytes.length };
  // Another writer at the same moment: S3 asks to try again, and then the winner's object is there.
  for (let attempt = 1; attempt <= CONFLICT_TRIES; attempt++) {
    const outcome = await putOnce(place, key, bytes, sha256);
    if (outcome === 'written') return reference;
    if (outcome === 'taken' && (await agrees(place, reference))) return reference;
    await sleep(CONFLICT_PAUSE_MS * attempt);
  }
  throw new Failure(
    'Unavailable',
    `S3 at ${place.endpoint}: ${reference.uri} is being written by others. ${TRIED_AGAIN}`,
  );
}

async function putOnce(
  place: Place,
  key: string,
  bytes: Uint8Array,
  sha256: string,
): Promise<'written' | 'taken' | 'conflict'> {
  try {
    if (bytes.length > PART_BYTES) await putInParts(place, key, bytes);
    else await putWhole(place, key, bytes, sha256);
    return 'written';
  } catch (error) {
    if (isAlreadyThere(error)) return 'taken';
    if (isConflict(error)) return 'conflict';
    throw s3Failure(error, place, `writing ${key}`);
  }
}

async function putWhole(
  { client, bucket }: Place,
  key: string,
  bytes: Uint8Array,
  sha256: string,
): Promise<void> {
  const checksum = Buffer.from(sha256, 'hex').toString('base64');
  await client.send(
    new PutObjectCommand({
      Bucket: bucket,
      Key: key,
      Body: bytes,
      IfNoneMatch: '*',
      ChecksumSHA256: checksum,
    }),
  );
}

/** Whether the key holds the reference's bytes; false where nothing is there after all. */
async function agrees(place: Place, reference: Reference): Promise<boolean> {
  const found = await downloadIfThere(place, reference.uri);
  if (found === undefined) return false;
  const { sha256 } = found;
  if (sha256 === reference.sha256) return true;
  throw new Failure(
    'Contradiction',
    `${reference.uri}: expected to write sha256 ${reference.sha256} (${reference.bytes} bytes), ` +
      `found sha256 ${sha256} (${found.bytes.length} bytes) there. Nothing was overwritten; find out which writer is wrong.`,
  );
}

async function get(place: Place, reference: Reference): Promise<Uint8Array> {
  const { bytes, sha256 } = await download(place, reference.uri);
  if (bytes.length === reference.bytes && sha256 === reference.sha256) return bytes;
  throw new Failure(
    'CorruptObject',
    `${reference.uri}: expected ${reference.bytes} bytes with sha256 ${reference.sha256}, ` +
      `found ${bytes.length} bytes with sha256 ${sha256}. ${MEND}`,
  );
}

async function getRange(
  place: Place,
  { uri, bytes: size }: Reference,
  offset: number,
  length: number,
): Promise<Uint8Array> {
  if (length === 0) return new Uint8Array();
  const last = offset + length - 1;
  const { bytes } = await download(place, uri, `bytes=${offset}-${last}`);
  if (bytes.length === length) return bytes;
  throw new Failure(
    'CorruptObject',
    `${uri}: expected bytes ${offset} to ${last} of ${size}, found ${bytes.length} bytes. ${MEND}`,
  );
}

interface Downloaded {
  bytes: Uint8Array;
  /** in hex */
  sha256: string;
}

async function download(place: Place, uri: string, range?: string): Promise<Downloaded> {
  const found = await downloadIfThere(place, uri, range);
  if (found !== undefined) return found;
  throw new Failure(
    'CorruptObject',
    `${uri}: expected an object, found none in S3 at ${place.endpoint}. ${MEND}`,
  );
}

async function downloadIfThere(place: Place, uri: string, range?: string): Promise<Downloaded | undefined> {
  const { bucket, key } = parseUri(uri);
  try {
    const { Body, ContentLength } = await place.client.send(
      new GetObjectCommand({ Bucket: bucket, Key: key, ...(range && { Range: range }) }),
    );
    return await collect(Body as Readable, ContentLength ?? 0);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw s3Failure(error, { ...place, bucket }, `reading ${key}`);
  }
}

/** Copied and hashed as it arrives: no gigabytes at once, between which nothing else would be done. */
async function collect(body: Readable, length: number): Promise<Downloaded> {
  const hash = createHash('sha256');
  let bytes = new Uint8Array(length);
  let filled = 0;
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    hash.update(chunk);
    bytes = grownTo(filled + chunk.length, bytes);
    bytes.set(chunk, filled);
    filled += chunk.length;
  }
  const whole = filled === bytes.length ? bytes : bytes.slice(0, filled);
  return { bytes: whole, sha256: hash.digest('hex') };
}

/** The same memory where it has so many bytes; the length that a server announces may be missing. */
function grownTo(length: number, bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  if (length <= bytes.length) return bytes;
  const larger = new Uint8Array(Math.max(length, 2 * bytes.length));
  larger.set(bytes);
  return larger;
}

/** The bucket and key of `s3://bucket/key`. Throws Failure 'InvalidInput'. */
export function parseUri(uri: string): { bucket: string; key: string } {
  const [, bucket, key] = /^s3:\/\/([^/]+)\/(.+)$/.exec(uri) ?? [];
  if (bucket !== undefined && key !== undefined) return { bucket, key };
  throw new Failure('InvalidInput', `expected an object as s3://bucket/key, found ${JSON.stringify(uri)}`);
}

async function exists(place: Place, key: string): Promise<boolean> {
  refuseKey(key);
  try {
    await place.client.send(new HeadObjectCommand({ Bucket: place.bucket, Key: key }));
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw s3Failure(error, place, `looking for ${key}`);
  }
}

async function list(place: Place, prefix: string): Promise<{ key: string; bytes: number }[]> {
  const found: { key: string; bytes: number }[] = [];
  let token: string | undefined;
  do {
    const command = new ListObjectsV2Command({
      Bucket: place.bucket,
      Prefix: prefix,
      ContinuationToken: token,
    });
    const page = await place.client.send(command).catch((error: unknown) => {
      throw s3Failure(error, place, `listing ${prefix}`);
    });
    for (const { Key, Size } of page.Contents ?? [])
      if (Key !== undefined) found.push({ key: Key, bytes: Size ?? 0 });
    token = page.NextContinuationToken;
  } while (token !== undefined);
  return found;
}

const OWNED = new Set(['BucketAlreadyOwnedByYou', 'BucketAlreadyExists']);

async function ensureBucket(place: Place, region: string): Promise<void> {
  const { client, bucket } = place;
  try {
    await client.send(new HeadBucketCommand({ Bucket: bucket }));
  } catch (error) {
    if (!isMissing(error)) throw s3Failure(error, place, 'looking for the bucket');
    await createBucket(place, region);
  }
}

async function createBucket(place: Place, region: string): Promise<void> {
  // us-east-1 is the one region that must not be named
  const configuration =
    region === 'us-east-1'
      ? {}
      : { CreateBucketConfiguration: { LocationConstraint: region as 'eu-west-1' } };
  try {
    await place.client.send(new CreateBucketCommand({ Bucket: place.bucket, ...configuration }));
  } catch (error) {
    if (error instanceof Error && OWNED.has(error.name)) return;
    throw s3Failure(error, place, 'creating the bucket');
  }
}

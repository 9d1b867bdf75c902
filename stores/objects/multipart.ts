import { createHash } from 'node:crypto';
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { Failure, TRIED_AGAIN } from '../../contracts/failures.ts';
import type { BucketClient } from './bucket-client.ts';
import type { ByteSource } from './byte-source.ts';
import { updateInPieces } from './hashing.ts';

/** Bodies above this size are sent in parts of it. S3 takes at most 10,000 parts: 320 GB. */
export const PART_BYTES = 32 * 1024 * 1024;
/** Parts that are sent at the same time; one more is read meanwhile. */
const PARTS_AT_ONCE = 3;

/** The name of the object's metadata with the SHA-256 of its bytes: S3 itself keeps only a checksum over the parts' checksums. */
export const SHA256_METADATA = 'sha256';

/**
 * Writes a large object in parts, each with its checksum. The last call turns them into an object, if the key is still
 * free. After a failure the parts are deleted. Errors are the SDK's.
 * @throws Failure 'Unavailable' where the bytes that pass are not those of `sha256`.
 */
export async function putInParts(
  store: BucketClient,
  key: string,
  { source, sha256 }: { source: ByteSource; sha256: string },
  onBytes: (bytes: number) => void = () => undefined,
): Promise<void> {
  const { client, bucket } = store;
  const target = { Bucket: bucket, Key: key };
  const created = await client.send(
    new CreateMultipartUploadCommand({
      ...target,
      ChecksumAlgorithm: 'SHA256',
      Metadata: { [SHA256_METADATA]: sha256 },
    }),
  );
  const upload = { ...target, UploadId: created.UploadId };
  try {
    const sent = await uploadParts(store, upload, source, onBytes);
    if (sent.sha256 !== sha256) {
      throw new Failure(
        'Unavailable',
        `${key}: expected bytes with sha256 ${sha256}, found ${sent.sha256}: they changed while they were sent. ${TRIED_AGAIN}`,
      );
    }
    const command = { ...upload, MultipartUpload: { Parts: sent.parts }, IfNoneMatch: '*' };
    await client.send(new CompleteMultipartUploadCommand(command));
  } catch (error) {
    await client.send(new AbortMultipartUploadCommand(upload)).catch(() => {});
    throw error;
  }
}

type Upload = { Bucket: string; Key: string; UploadId: string | undefined };

/** Reads and hashes one part after the other, and sends a few at a time: each is in memory until it is sent. */
async function uploadParts(
  { client }: BucketClient,
  upload: Upload,
  source: ByteSource,
  onBytes: (bytes: number) => void,
): Promise<{ parts: CompletedPart[]; sha256: string }> {
  const whole = createHash('sha256');
  const parts: CompletedPart[] = [];
  const underWay = new Set<Promise<void>>();
  const failed: unknown[] = [];
  const refuseFailed = () => {
    if (failed.length > 0) throw failed[0];
  };
  const send = async (PartNumber: number, body: Uint8Array) => {
    const checksum = createHash('sha256');
    await updateInPieces(checksum, body);
    const ChecksumSHA256 = checksum.digest('base64');
    const { ETag } = await client.send(
      new UploadPartCommand({ ...upload, PartNumber, Body: body, ChecksumSHA256 }),
    );
    parts[PartNumber - 1] = { PartNumber, ETag, ChecksumSHA256 };
    onBytes(body.length);
  };
  try {
    for (let begin = 0, part = 1; begin < source.bytes; begin += PART_BYTES, part++) {
      if (underWay.size >= PARTS_AT_ONCE) await Promise.race(underWay);
      refuseFailed();
      const body = await source.read(begin, Math.min(PART_BYTES, source.bytes - begin));
      await updateInPieces(whole, body);
      const sending: Promise<void> = send(part, body)
        .catch((error: unknown) => void failed.push(error))
        .finally(() => underWay.delete(sending));
      underWay.add(sending);
    }
  } finally {
    await Promise.all(underWay);
  }
  refuseFailed();
  return { parts, sha256: whole.digest('hex') };
}

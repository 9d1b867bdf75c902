import { createHash } from 'node:crypto';
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import type { BucketClient } from './bucket-client.ts';

/** Bodies above this size are sent in parts of it. S3 takes at most 10,000 parts: 320 GB. */
export const PART_BYTES = 32 * 1024 * 1024;

/**
 * Writes a large object in parts, each with its checksum. The last call turns them into an object, if the key is still
 * free. After a failure the parts are deleted. Errors are the SDK's.
 */
export async function putInParts(
  store: BucketClient,
  key: string,
  bytes: Uint8Array,
  onBytes: (bytes: number) => void = () => undefined,
): Promise<void> {
  const { client, bucket } = store;
  const target = { Bucket: bucket, Key: key };
  const created = await client.send(
    new CreateMultipartUploadCommand({ ...target, ChecksumAlgorithm: 'SHA256' }),
  );
  const upload = { ...target, UploadId: created.UploadId };
  try {
    const parts = await uploadParts(store, upload, bytes, onBytes);
    const command = { ...upload, MultipartUpload: { Parts: parts }, IfNoneMatch: '*' };
    await client.send(new CompleteMultipartUploadCommand(command));
  } catch (error) {
    await client.send(new AbortMultipartUploadCommand(upload)).catch(() => {});
    throw error;
  }
}

type Upload = { Bucket: string; Key: string; UploadId: string | undefined };

/** One part after the other: parts in parallel would each need a copy in memory. */
async function uploadParts(
  { client }: BucketClient,
  upload: Upload,
  bytes: Uint8Array,
  onBytes: (bytes: number) => void,
): Promise<CompletedPart[]> {
  const parts: CompletedPart[] = [];
  for (let begin = 0; begin < bytes.length; begin += PART_BYTES) {
    const body = bytes.subarray(begin, begin + PART_BYTES);
    const ChecksumSHA256 = createHash('sha256').update(body).digest('base64');
    const PartNumber = parts.length + 1;
    const { ETag } = await client.send(
      new UploadPartCommand({ ...upload, PartNumber, Body: body, ChecksumSHA256 }),
    );
    parts.push({ PartNumber, ETag, ChecksumSHA256 });
    onBytes(body.length);
  }
  return parts;
}

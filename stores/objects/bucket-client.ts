import { S3Client } from '@aws-sdk/client-s3';

/** How an S3 is reached: `R1_S3_*` of the environment, or the local stack's. */
export interface ObjectStoreSettings {
  endpoint: string;
  region: string;
  bucket: string;
  accessKeyId: string;
  secretAccessKey: string;
  forcePathStyle: boolean;
}

/** A client of one bucket. */
export interface BucketClient {
  client: S3Client;
  endpoint: string;
  bucket: string;
}

/** Connects with the first call. */
export function openBucket(settings: ObjectStoreSettings): BucketClient {
  const { endpoint, bucket, region, forcePathStyle, accessKeyId, secretAccessKey } = settings;
  const client = new S3Client({
    endpoint,
    region,
    forcePathStyle,
    credentials: { accessKeyId, secretAccessKey },
    retryMode: 'standard',
    maxAttempts: 4,
    // Checksums are sent and compared by `objects.ts`, over whole objects.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: {
      connectionTimeout: 3_000,
      requestTimeout: 60_000,
      throwOnRequestTimeout: true,
      socketTimeout: 60_000,
    },
  });
  return { client, endpoint, bucket };
}

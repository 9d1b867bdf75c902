import { Failure, type FailureKind, TRIED_AGAIN } from '../../contracts/failures.ts';

interface Rule {
  kind: FailureKind;
  /** the end of the sentence that begins with the bucket's name */
  says: string;
}

/** By the error's name or code, as S3, compatible servers and Node's sockets give it. */
const BY_NAME: Readonly<Record<string, Rule>> = {
  InvalidAccessKeyId: {
    kind: 'InvalidInput',
    says: 'does not know the access key. Correct R1_S3_ACCESS_KEY_ID.',
  },
  SignatureDoesNotMatch: {
    kind: 'InvalidInput',
    says: 'refused the signature. Correct R1_S3_SECRET_ACCESS_KEY.',
  },
  RequestTimeTooSkewed: {
    kind: 'InvalidInput',
    says: "refused the time of the request. Set this machine's clock.",
  },
  NoSuchBucket: { kind: 'InvalidInput', says: 'has no such bucket. Create it, or correct R1_S3_BUCKET.' },
  InvalidBucketName: { kind: 'InvalidInput', says: 'accepts no bucket of that name. Correct R1_S3_BUCKET.' },
  PermanentRedirect: {
    kind: 'InvalidInput',
    says: 'keeps the bucket elsewhere. Correct R1_S3_REGION or R1_S3_ENDPOINT.',
  },
  AuthorizationHeaderMalformed: {
    kind: 'InvalidInput',
    says: 'expects another region. Correct R1_S3_REGION.',
  },
  InvalidRange: {
    kind: 'CorruptObject',
    says: 'has a shorter object than its row says. Restore it from a backup.',
  },
  BadDigest: { kind: 'Unavailable', says: `received other bytes than were sent. ${TRIED_AGAIN}` },
  XAmzContentSHA256Mismatch: {
    kind: 'Unavailable',
    says: `received other bytes than were sent. ${TRIED_AGAIN}`,
  },
};

const REFUSED: Rule = {
  kind: 'InvalidInput',
  says: 'refused access. Correct R1_S3_ACCESS_KEY_ID, R1_S3_SECRET_ACCESS_KEY or their rights to the bucket (R1_S3_BUCKET).',
};
const FULL: Rule = { kind: 'OutOfSpace', says: `is out of space. Free some space. ${TRIED_AGAIN}` };
const BUSY: Rule = {
  kind: 'Unavailable',
  says: `cannot answer now. ${TRIED_AGAIN} \`r1 status\` shows whether it runs.`,
};
const AWAY: Rule = {
  kind: 'Unavailable',
  says: `cannot be reached. ${TRIED_AGAIN} \`r1 status\` shows whether it runs, R1_S3_ENDPOINT which one is used.`,
};
const OTHER: Rule = {
  kind: 'InvalidInput',
  says: 'refused the request. Check that R1_S3_ENDPOINT is an S3.',
};

/** By HTTP status, where the name is not known. */
const BY_STATUS: Readonly<Record<number, Rule>> = {
  401: REFUSED,
  403: REFUSED,
  408: BUSY,
  429: BUSY,
  507: FULL,
};

/** The fields of the SDK's errors that are read. Others are left out: they may contain keys and signatures. */
interface SdkError {
  name: string;
  message: string;
  code?: unknown;
  $metadata?: { httpStatusCode?: number };
}

const statusOf = (error: unknown) => (error as SdkError | undefined)?.$metadata?.httpStatusCode;
const nameOf = (error: unknown) => (error as SdkError | undefined)?.name;

/** The key is taken: the condition of a put failed. */
export const isAlreadyThere = (error: unknown) =>
  statusOf(error) === 412 || nameOf(error) === 'PreconditionFailed';

/** Another conditional put of the same key is under way. */
export const isConflict = (error: unknown) => statusOf(error) === 409 && nameOf(error) !== 'NoSuchBucket';

/** No such object; or no such bucket, where the request was for the bucket itself. */
export const isMissing = (error: unknown) => statusOf(error) === 404 && nameOf(error) !== 'NoSuchBucket';

/** The Failure that an error of the SDK means; it names endpoint, bucket and remedy, and no credential. */
export function s3Failure(
  error: unknown,
  server: { endpoint: string; bucket: string },
  doing: string,
): Error {
  if (error instanceof Failure) return error;
  if (!(error instanceof Error)) return new Error(String(error));
  if (error instanceof TypeError || error instanceof RangeError) return error;
  const { kind, says } = ruleOf(error);
  const status = statusOf(error);
  const found = [status, codeOf(error)].filter(Boolean).join(' ');
  const at = `S3 at ${server.endpoint}, bucket ${server.bucket}`;
  return new Failure(kind, `${at}, ${says} (${doing}: ${found})`);
}

function ruleOf(error: SdkError): Rule {
  const named = BY_NAME[codeOf(error)];
  if (named !== undefined) return named;
  const status = statusOf(error);
  // No answer, or an incomplete one: a socket's error, a timeout, a body that ended early.
  if (status === undefined || status === 200) return AWAY;
  return BY_STATUS[status] ?? (status >= 500 ? BUSY : OTHER);
}

function codeOf({ name, code }: SdkError): string {
  return typeof code === 'string' && (name === 'Error' || name === 'AggregateError') ? code : name;
}

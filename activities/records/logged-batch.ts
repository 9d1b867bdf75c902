import type { Numerics } from '../../contracts/numerics.ts';
import type { Batch1, SupervisedBatch1 } from '../../contracts/records/release-1.ts';
import type { BatchRecord, Drop, SupervisedBatchRecord } from '../../contracts/records/schemas.ts';
import { DROP_REASONS } from '../../contracts/records/tensors.ts';
import type { Reference } from '../../contracts/reference.ts';
import type { ObjectStore } from '../../stores/objects/objects.ts';
import { type DecodedRecord, decodeRecord } from '../../stores/objects/records.ts';
import type { RolloutObjects } from './rollout-view.ts';

/** A batch of either version. Version 1 does not name policies, nor the sampler's numerics. */
export interface LoggedBatch
  extends Omit<BatchRecord, 'version' | 'rollout' | 'policy' | 'policyBefore' | 'samplerNumerics'> {
  rollout: RolloutObjects;
  /** the policy that sampled */
  policy: string | null;
  policyDigest: string | null;
  policyBefore: string | null;
  samplerNumerics: Numerics | null;
  drops: Drop[];
}
interface LoggedSupervisedBatch extends Omit<SupervisedBatchRecord, 'version' | 'policyBefore'> {
  policyBefore: string | null;
}
export type LoggedBatchRecord = LoggedBatch | LoggedSupervisedBatch;

/** A step's log record and its tensors, of either kind and version. */
export async function readLoggedBatch(
  objects: Pick<ObjectStore, 'get'>,
  reference: Reference,
): Promise<DecodedRecord<LoggedBatchRecord>> {
  const decoded = decodeRecord(['batch', 'supervised-batch'], await objects.get(reference), reference.uri);
  return { ...decoded, record: normalised(decoded) };
}

export const isReinforcement = (
  batch: DecodedRecord<LoggedBatchRecord>,
): batch is DecodedRecord<LoggedBatch> => batch.record.kind === 'batch';

type Stored = BatchRecord | Batch1 | SupervisedBatchRecord | SupervisedBatch1;

function normalised(decoded: DecodedRecord<Stored>): LoggedBatchRecord {
  const { record } = decoded;
  if (record.kind === 'batch')
    return 'version' in record ? { ...secondBatch(record), drops: dropsOf(decoded) } : firstBatch(record);
  if ('version' in record) return record;
  const { digestAfter, ...rest } = record;
  return { ...rest, policyBefore: null, checkAfter: checkOf(digestAfter) };
}

const secondBatch = ({ rollout, ...record }: BatchRecord) => ({ ...record, rollout: { index: rollout } });

function firstBatch({ rollout, scores, logprobs, digestAfter, ...rest }: Batch1): LoggedBatch {
  return {
    ...rest,
    rollout: { rollout, scores, logprobs },
    policy: null,
    policyBefore: null,
    samplerNumerics: null,
    checkAfter: checkOf(digestAfter),
  };
}

const checkOf = (digestAfter: boolean) => (digestAfter ? ('digest' as const) : ('none' as const));

/** Completions that were left out, of a batch of version 2. */
function dropsOf({ ints, bytes, texts }: DecodedRecord<unknown>): Drop[] {
  const messages = texts('dropMessages');
  const reasons = bytes('dropReasons');
  return Array.from(ints('dropSequences'), (sequence, d) => ({
    sequence,
    reason: DROP_REASONS[reasons[d] ?? 0] ?? 'error',
    message: messages[d] ?? '',
  }));
}

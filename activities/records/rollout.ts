import type { Numerics } from '../../contracts/numerics.ts';
import { type LogprobsRecord, RECORD_VERSION } from '../../contracts/records/schemas.ts';
import type { Reference } from '../../contracts/reference.ts';
import { sha256Column } from '../../stores/objects/hashing.ts';
import type { KeyOfContent } from '../../stores/objects/keys.ts';
import type { ObjectStore } from '../../stores/objects/objects.ts';
import { decodeRecord, putRecord, type Tensors } from '../../stores/objects/records.ts';
import { floats, ints, joinFloats, joinInts, lengthsOf, split } from '../ragged.ts';

/** What all completions of a shard have in common. */
export interface RolloutHeader {
  request: Reference;
  /** null in version 1 */
  policy: string | null;
  policyDigest: string | null;
  numerics: Numerics;
}

/** The completions of a shard, as sampled. */
export interface SampledCompletions {
  completionsN: Int32Array[];
  /** by the sampler */
  logprobsN: Float32Array[];
  /** 1: cut by the length limit */
  truncatedN: Int32Array;
}

export interface DecodedRollout extends SampledCompletions {
  record: RolloutHeader;
  lengthsN: Int32Array;
}

/** Reads the completions of a shard, or of a whole rollout of version 1. */
export async function readRollout(
  objects: Pick<ObjectStore, 'get'>,
  reference: Reference,
): Promise<DecodedRollout> {
  const decoded = decodeRecord(['rollout'], await objects.get(reference), reference.uri);
  const { record } = decoded;
  const lengthsN = decoded.ints('completionLengths');
  return {
    record: { policy: null, ...record },
    lengthsN,
    completionsN: split(decoded.ints('completionTokens'), lengthsN),
    logprobsN: split(decoded.floats('logprobs'), lengthsN),
    truncatedN: decoded.ints('truncated'),
  };
}

export function putRollout(
  objects: Pick<ObjectStore, 'put'>,
  key: KeyOfContent,
  header: RolloutHeader & { policy: string },
  { completionsN, logprobsN, truncatedN }: SampledCompletions,
): Promise<Reference> {
  const { request, policy, policyDigest, numerics } = header;
  const record = {
    kind: 'rollout',
    version: RECORD_VERSION,
    request,
    policy,
    policyDigest,
    numerics,
  } as const;
  const tensors: Tensors = new Map([
    ['completionTokens', ints(joinInts(completionsN))],
    ['completionLengths', ints(lengthsOf(completionsN))],
    ['logprobs', floats(joinFloats(logprobsN))],
    ['truncated', ints(truncatedN)],
    ['completionTokens.sha256', sha256Column(completionsN)],
    ['logprobs.sha256', sha256Column(logprobsN)],
  ]);
  return putRecord(objects, key, record, tensors);
}

/** Log-probabilities of a shard's completions, each where it was requested. */
export interface ComputedLogprobs {
  old?: Float32Array[];
  reference?: Float32Array[];
}

export function putLogprobs(
  objects: Pick<ObjectStore, 'put'>,
  key: KeyOfContent,
  header: Omit<LogprobsRecord, 'kind' | 'version'>,
  computed: ComputedLogprobs,
): Promise<Reference> {
  const columns = Object.entries(computed).flatMap(([name, partsN]: [string, Float32Array[] | undefined]) =>
    partsN === undefined
      ? []
      : ([
          [name, floats(joinFloats(partsN))],
          [`${name}.sha256`, sha256Column(partsN)],
        ] as const),
  );
  const record = { kind: 'logprobs', version: RECORD_VERSION, ...header } as const;
  return putRecord(objects, key, record, new Map(columns));
}

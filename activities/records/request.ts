import { Failure } from '../../contracts/failures.ts';
import type { Tensor } from '../../contracts/format/dtypes.ts';
import { textColumn } from '../../contracts/format/text-column.ts';
import {
  RECORD_VERSION,
  type SampleRequest,
  type SampleRequestRecord,
} from '../../contracts/records/schemas.ts';
import type { Reference } from '../../contracts/reference.ts';
import type { KeyOfContent } from '../../stores/objects/keys.ts';
import type { ObjectStore } from '../../stores/objects/objects.ts';
import { type DecodedRecord, decodeRecord, putRecord } from '../../stores/objects/records.ts';
import { ints, joinInts, lengthsOf, split } from '../ragged.ts';

/** A shard's request: promptsP are the prompts as tokens. */
export interface DecodedRequest {
  request: SampleRequest;
  promptsP: Int32Array[];
}

/** Reads a request of either version. Throws Failure 'CorruptObject' where seeds and prompts do not match. */
export async function readSampleRequest(
  objects: Pick<ObjectStore, 'get'>,
  reference: Reference,
): Promise<DecodedRequest> {
  const decoded = decodeRecord(['sample-request'], await objects.get(reference), reference.uri);
  const request = requestOf(decoded);
  const promptsP = split(decoded.ints('promptTokens'), decoded.ints('promptLengths'));
  const [prompts, seeds] = [request.prompts.length, request.seeds.length];
  if (prompts === promptsP.length && seeds === prompts * request.numGenerations) return { request, promptsP };
  throw new Failure(
    'CorruptObject',
    `${reference.uri}: expected ${prompts * request.numGenerations} seeds for ${prompts} prompts, found ${seeds} seeds and ` +
      `${promptsP.length} prompts as tokens`,
  );
}

function requestOf(decoded: DecodedRecord<SampleRequestRecord | SampleRequest>): SampleRequest {
  const { record } = decoded;
  const { numGenerations, sampling, model, eosTokenIds } = record;
  const common = { numGenerations, sampling, model, eosTokenIds };
  if ('prompts' in record) return { ...common, prompts: record.prompts, seeds: record.seeds };
  const [problems, answers, domains, prefills] = ['problems', 'answers', 'domains', 'prefills'].map(
    decoded.texts,
  );
  const hashes = Buffer.from(decoded.bytes('prompts')).toString('hex');
  const prompts = [...decoded.ints('slots')].map((slot, p) => ({
    slot,
    prompt: hashes.slice(64 * p, 64 * (p + 1)),
    problem: problems?.[p] ?? '',
    answer: answers?.[p] ?? '',
    domain: domains?.[p] ?? '',
    ...(prefills?.[p] ? { prefill: prefills[p] } : {}),
  }));
  const seeds = Array.from(decoded.longs('seeds'), (bits) => BigInt.asUintN(64, bits).toString());
  return { ...common, prompts, seeds };
}

/** Writes a request. */
export function putSampleRequest(
  objects: Pick<ObjectStore, 'put'>,
  key: KeyOfContent,
  { request, promptsP }: DecodedRequest,
): Promise<Reference> {
  const { numGenerations, sampling, model, eosTokenIds, prompts, seeds } = request;
  const record: SampleRequestRecord = {
    kind: 'sample-request',
    version: RECORD_VERSION,
    numGenerations,
    sampling,
    model,
    eosTokenIds,
  };
  const hashes = new Uint8Array(Buffer.from(prompts.map(({ prompt }) => prompt).join(''), 'hex'));
  const tensors: [string, Tensor][] = [
    ['promptTokens', ints(joinInts(promptsP))],
    ['promptLengths', ints(lengthsOf(promptsP))],
    ['seeds', { dtype: 'I64', shape: [seeds.length], data: BigInt64Array.from(seeds, signed) }],
    ['slots', ints(Int32Array.from(prompts, ({ slot }) => slot))],
    ['prompts', { dtype: 'U8', shape: [prompts.length, 32], data: hashes }],
    ...textColumn(
      'problems',
      prompts.map(({ problem }) => problem),
    ),
    ...textColumn(
      'answers',
      prompts.map(({ answer }) => answer),
    ),
    ...textColumn(
      'domains',
      prompts.map(({ domain }) => domain),
    ),
    ...textColumn(
      'prefills',
      prompts.map(({ prefill = '' }) => prefill),
    ),
  ];
  return putRecord(objects, key, record, new Map(tensors));
}

const signed = (seed: string) => BigInt.asIntN(64, BigInt(seed));

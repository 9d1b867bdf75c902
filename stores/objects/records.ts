import { z } from 'zod';
import { Failure } from '../../contracts/failures.ts';
import type { Dtype, Tensor } from '../../contracts/format/dtypes.ts';
import { decodeSafetensors, encodeSafetensors } from '../../contracts/format/safetensors.ts';
import { offsetsOf, textsOf } from '../../contracts/format/text-column.ts';
import { type RecordFormat, recordFormats } from '../../contracts/records/formats.ts';
import { RECORD_VERSION } from '../../contracts/records/schemas.ts';
import { tensorProblem } from '../../contracts/records/tensor-problem.ts';
import type { RecordKind } from '../../contracts/records/tensors.ts';
import type { Reference } from '../../contracts/reference.ts';
import type { KeyOfContent } from './keys.ts';
import type { ObjectStore } from './objects.ts';

/** Arrays of a record, by the names that contracts/records.ts gives them. */
export type Tensors = Map<string, Tensor>;

export interface DecodedRecord<Header> {
  /** the release's version of its format */
  version: 1 | 2;
  record: Header;
  tensors: Tensors;
  has(name: string): boolean;
  /** An I32 tensor. Throws Failure 'CorruptObject' where it is missing or of another type, as the others do. */
  ints(name: string): Int32Array;
  floats(name: string): Float32Array;
  /** An F64 tensor. */
  doubles(name: string): Float64Array;
  /** An I64 tensor. */
  longs(name: string): BigInt64Array;
  /** A U8 tensor. */
  bytes(name: string): Uint8Array;
  /** The rows of a text column. */
  texts(name: string): string[];
}

const REMEDY = 'Restore the object, or resume from a checkpoint that does not need it.';

/**
 * A record and its tensors as one safetensors file, the record as JSON in the header's metadata. Fields are sorted:
 * equal records give equal bytes, also where Postgres or Temporal has reordered the fields of their parts.
 */
export function encodeRecord(record: object, tensors: ReadonlyMap<string, Tensor>): Uint8Array {
  return encodeSafetensors(tensors, { record: JSON.stringify(record, sortedFields) });
}

const sortedFields = (_: string, value: unknown) =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
    : value;

/** The headers that a format's schemas parse. */
type HeaderOf<Format extends RecordFormat> =
  | z.infer<Format[2]>
  | (Format extends { 1: infer First extends z.ZodType } ? z.infer<First> : never);

/**
 * Reads a record of one of `kinds` and checks it: its version, its header, and the tensors of version 2 (names, dtypes,
 * shapes). `name` names the object in errors.
 * @throws Failure 'UnknownVersion' for a record of a later release; 'CorruptObject' where the file, the header or a
 * tensor is invalid.
 */
export function decodeRecord<Kind extends RecordKind>(
  kinds: readonly Kind[],
  bytes: Uint8Array,
  name = 'a record',
): DecodedRecord<HeaderOf<(typeof recordFormats)[Kind]>> {
  const { tensors, metadata } = decodeFile(bytes, name);
  const { version, kind, header } = parseHeader(kinds, metadata.record, name);
  if (version === 2) {
    const problem = tensorProblem(kind, tensors, rewardsOf(header));
    if (problem !== null) throw new Failure('CorruptObject', `${name}: ${problem}. ${REMEDY}`);
  }
  return { version, record: header, ...readers(tensors, name) };
}

/** The tensors' readers by dtype. */
function readers(tensors: Tensors, name: string): Omit<DecodedRecord<unknown>, 'version' | 'record'> {
  const of = <D extends Dtype>(key: string, dtype: D): Tensor<D>['data'] => {
    const tensor = tensors.get(key);
    if (tensor?.dtype !== dtype) return refuseTensor(tensors, key, dtype, name);
    return (tensor as Tensor<D>).data;
  };
  return {
    tensors,
    has: (key) => tensors.has(key),
    ints: (key) => of(key, 'I32'),
    floats: (key) => of(key, 'F32'),
    doubles: (key) => of(key, 'F64'),
    longs: (key) => of(key, 'I64'),
    bytes: (key) => of(key, 'U8'),
    texts: (key) => {
      try {
        return textsOf(key, of(key, 'U8'), of(offsetsOf(key), 'I64'));
      } catch (error) {
        if (error instanceof Failure) throw error;
        throw new Failure(
          'CorruptObject',
          `${name}: ${error instanceof Error ? error.message : error}. ${REMEDY}`,
        );
      }
    },
  };
}

/** Writes a record of this release under a key that names its content. Its tensors must be those of its kind. */
export async function putRecord(
  objects: Pick<ObjectStore, 'put'>,
  key: KeyOfContent,
  record: { kind: RecordKind },
  tensors: ReadonlyMap<string, Tensor>,
): Promise<Reference> {
  const problem = tensorProblem(record.kind, tensors, rewardsOf(record));
  if (problem !== null) throw new TypeError(`${record.kind}: ${problem}`);
  return objects.put(key, encodeRecord(record, tensors));
}

/** The names of a record's rewards. */
const rewardsOf = (record: unknown): string[] =>
  z
    .object({ rewards: z.array(z.object({ name: z.string() })) })
    .transform(({ rewards }) => rewards.map(({ name }) => name))
    .catch([])
    .parse(record);

function decodeFile(bytes: Uint8Array, name: string) {
  try {
    return decodeSafetensors(bytes, name);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new Failure('CorruptObject', `${message}. ${REMEDY}`, { cause: error });
  }
}

const outline = z.object({ kind: z.string(), version: z.int().default(1) });

/** The header of a record from its JSON. */
export const headerOfText = <Kind extends RecordKind>(kinds: readonly Kind[], text: string, name: string) =>
  parseHeader(kinds, text, name).header;

/** The header by its kind and version. */
function parseHeader<Kind extends RecordKind>(
  kinds: readonly Kind[],
  text: string | undefined,
  name: string,
) {
  const json = text === undefined ? undefined : parseJson(text, name);
  const found = outline.safeParse(json);
  if (!found.success) return refuseHeader(name, found.error);
  const kind = kinds.find((known) => known === found.data.kind);
  if (kind === undefined) {
    throw new Failure(
      'CorruptObject',
      `${name}: expected a record ${kinds.join(' or ')}, found ${JSON.stringify(found.data.kind)}. ${REMEDY}`,
    );
  }
  const format: RecordFormat = recordFormats[kind];
  const version = found.data.version === 1 ? 1 : 2;
  const schema = found.data.version > RECORD_VERSION ? undefined : format[version];
  if (schema === undefined) {
    throw new Failure(
      'UnknownVersion',
      `${name}: expected a ${kind} of version ${Object.keys(format).join(' or ')}, found version ${found.data.version}: ` +
        'use the release that wrote it, or a later one',
    );
  }
  const parsed = schema.safeParse(json);
  if (!parsed.success) return refuseHeader(name, parsed.error);
  return { version, kind, header: parsed.data as HeaderOf<(typeof recordFormats)[Kind]> } as const;
}

function refuseHeader(name: string, { issues }: z.ZodError): never {
  const problems = issues.map(({ path, message }) => [path.join('.'), message].filter(Boolean).join(': '));
  throw new Failure('CorruptObject', `${name}: its record is invalid: ${problems.join('; ')}. ${REMEDY}`);
}

function parseJson(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Failure(
      'CorruptObject',
      `${name}: expected its record as JSON, found "${text.slice(0, 40)}". ${REMEDY}`,
      {
        cause: error,
      },
    );
  }
}

function refuseTensor(tensors: Tensors, key: string, dtype: Tensor['dtype'], name: string): never {
  const tensor = tensors.get(key);
  const found = tensor ? `one of ${tensor.dtype}` : `only ${[...tensors.keys()].join(', ') || 'none'}`;
  throw new Failure(
    'CorruptObject',
    `${name}: expected a tensor "${key}" of ${dtype}, found ${found}. ${REMEDY}`,
  );
}

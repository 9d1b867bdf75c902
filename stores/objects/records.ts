import type { z } from 'zod';
import { Failure } from '../../contracts/failures.ts';
import type { Tensor } from '../../contracts/format/dtypes.ts';
import { decodeSafetensors, encodeSafetensors } from '../../contracts/format/safetensors.ts';
import type { Reference } from '../../contracts/reference.ts';
import type { KeyOfContent } from './keys.ts';
import type { ObjectStore } from './objects.ts';

/** Arrays of a record, by the names that contracts/records.ts gives them. */
export type Tensors = Map<string, Tensor>;

export interface DecodedRecord<Record> {
  record: Record;
  tensors: Tensors;
  /** An I32 tensor. Throws Failure 'CorruptObject' where it is missing or of another type. */
  ints(name: string): Int32Array;
  /** An F32 tensor. Throws Failure 'CorruptObject' where it is missing or of another type. */
  floats(name: string): Float32Array;
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

/**
 * Reads a record and checks it. `name` names the object in errors.
 * @throws Failure 'CorruptObject' where the file or the record is invalid, or a tensor that is read is missing.
 */
export function decodeRecord<Schema extends z.ZodType>(
  schema: Schema,
  bytes: Uint8Array,
  name = 'a record',
): DecodedRecord<z.infer<Schema>> {
  const { tensors, metadata } = decodeFile(bytes, name);
  const record = parseRecord(schema, metadata.record, name);
  return {
    record,
    tensors,
    ints: (key) => {
      const tensor = tensors.get(key);
      return tensor?.dtype === 'I32' ? tensor.data : refuseTensor(tensors, key, 'I32', name);
    },
    floats: (key) => {
      const tensor = tensors.get(key);
      return tensor?.dtype === 'F32' ? tensor.data : refuseTensor(tensors, key, 'F32', name);
    },
  };
}

/** Writes a record under a key that names its content. */
export async function putRecord(
  objects: ObjectStore,
  key: KeyOfContent,
  record: object,
  tensors: ReadonlyMap<string, Tensor>,
): Promise<Reference> {
  return objects.put(key, encodeRecord(record, tensors));
}

function decodeFile(bytes: Uint8Array, name: string) {
  try {
    return decodeSafetensors(bytes, name);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new Failure('CorruptObject', `${message}. ${REMEDY}`, { cause: error });
  }
}

function parseRecord<Schema extends z.ZodType>(
  schema: Schema,
  text: string | undefined,
  name: string,
): z.infer<Schema> {
  const parsed = schema.safeParse(text === undefined ? undefined : parseJson(text, name));
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map(({ path, message }) =>
    [path.join('.'), message].filter(Boolean).join(': '),
  );
  throw new Failure('CorruptObject', `${name}: its record is invalid: ${issues.join('; ')}. ${REMEDY}`);
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

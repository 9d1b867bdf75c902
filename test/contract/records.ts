/**
 * Records as a worker in another language would write and read them: from the published tables alone, without the code
 * of the orchestrator.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { z } from 'zod';
import {
  DTYPES,
  type Dtype,
  ELEMENTS,
  littleEndianBytes,
  type Tensor,
} from '../../contracts/format/dtypes.ts';
import { decodeSafetensors, encodeSafetensors } from '../../contracts/format/safetensors.ts';
import { recordFormats } from '../../contracts/records/formats.ts';
import { type RecordKind, recordTensors, type TensorSpec } from '../../contracts/records/tensors.ts';

export type Tensors = Map<string, Tensor>;
type Json = Record<string, unknown>;

export const sha256Of = (bytes: Uint8Array | string) => createHash('sha256').update(bytes).digest('hex');

const sorted = (_: string, value: unknown) =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
    : value;

/** The bytes of a record. Nothing is checked: refusals are tested with records that are wrong. */
export const encode = (record: Json, tensors: Tensors): Uint8Array =>
  encodeSafetensors(tensors, { record: JSON.stringify(record, sorted) });

/** Decodes the bytes of a record without a check, to write it again with a change. */
export function decode(bytes: Uint8Array): { record: Json; tensors: Tensors } {
  const { tensors, metadata } = decodeSafetensors(bytes);
  return { record: JSON.parse(metadata.record ?? '{}'), tensors };
}

export const ints = (values: ArrayLike<number>): Tensor => {
  return { dtype: 'I32', shape: [values.length], data: Int32Array.from(values) };
};
export const floats = (values: ArrayLike<number>): Tensor => {
  return { dtype: 'F32', shape: [values.length], data: Float32Array.from(values) };
};
export const flags = (values: ArrayLike<number>): Tensor => {
  return { dtype: 'U8', shape: [values.length], data: Uint8Array.from(values) };
};
export const longs = (values: readonly bigint[]): Tensor => {
  return { dtype: 'I64', shape: [values.length], data: BigInt64Array.from(values) };
};
/** SHA-256 in hex, one a row. */
export const hashes = (values: readonly string[]): Tensor => {
  return {
    dtype: 'U8',
    shape: [values.length, 32],
    data: Uint8Array.from(Buffer.from(values.join(''), 'hex')),
  };
};
/** The two tensors of a text column. */
export function texts(name: string, values: readonly string[]): [string, Tensor][] {
  const rows = values.map((text) => Buffer.from(text, 'utf8'));
  const offsets = [0n, ...rangesOf(rows.map(({ length }) => length)).map(([, end]) => BigInt(end))];
  return [
    [name, flags(Buffer.concat(rows))],
    [`${name}.offsets`, longs(offsets)],
  ];
}

/** Where each row begins and ends. */
function rangesOf(lengths: readonly number[]): [number, number][] {
  let end = 0;
  return lengths.map((length) => {
    const begin = end;
    end += length;
    return [begin, end];
  });
}

/** A record that was checked; its columns by name. */
export class CheckedRecord<Kind extends RecordKind = RecordKind> {
  readonly record: ReturnType<(typeof recordFormats)[Kind][2]['parse']>;
  readonly tensors: Tensors;

  constructor(record: ReturnType<(typeof recordFormats)[Kind][2]['parse']>, tensors: Tensors) {
    this.record = record;
    this.tensors = tensors;
  }

  /** The elements of a tensor as numbers. */
  column(name: string): number[] {
    const tensor = this.tensors.get(name);
    assert(tensor, `expected a tensor ${name}, found ${[...this.tensors.keys()]}`);
    return Array.from(tensor.data, Number);
  }

  /** A column of tokens, cut into sequences. */
  sequences(name: string, lengths: readonly number[]): number[][] {
    const flat = this.column(name);
    return rangesOf(lengths).map(([begin, end]) => flat.slice(begin, end));
  }
}

/**
 * Checks a record by its schema and by the table of tensors: names, dtypes, shapes, sums, texts, digests of sequences, and
 * that every float is finite. `lengths`: of the sequences, where another record has them.
 */
export function check<Kind extends RecordKind>(
  kind: Kind,
  bytes: Uint8Array,
  lengths?: readonly number[],
): CheckedRecord<Kind> {
  const { tensors, metadata } = decodeSafetensors(bytes, kind);
  const json = JSON.parse(metadata.record ?? '');
  assert.equal(metadata.record, JSON.stringify(json, sorted), `${kind}: the fields of its JSON are sorted`);
  const parsed = recordFormats[kind][2].safeParse(json);
  assert(parsed.success, parsed.error && `${kind}: ${z.prettifyError(parsed.error)}`);
  const record = parsed.data as ReturnType<(typeof recordFormats)[Kind][2]['parse']>;
  const axes = new Map<string, number>();
  const specs = specsOf(kind, json);
  for (const name of tensors.keys()) assert(specs.has(name), `${kind}: ${name} is not in the table`);
  for (const [name, spec] of specs) checkTensor({ kind, name, spec, tensors, axes });
  checkSums(kind, specs, tensors, axes);
  const checked = new CheckedRecord<Kind>(record, tensors);
  checkDigests(kind, checked, lengths);
  return checked;
}

type PlainSpec = Exclude<TensorSpec, { texts: string }>;

/** The tensors that a record may have; a text column is two. */
function specsOf(kind: RecordKind, record: { rewards?: { name: string }[] }): Map<string, PlainSpec> {
  const { tensors, perReward = {} } = recordTensors[kind];
  const all: [string, TensorSpec][] = [
    ...Object.entries(tensors),
    ...(record.rewards ?? []).flatMap(({ name }) =>
      Object.entries(perReward).map(([column, spec]): [string, TensorSpec] => [`${name}.${column}`, spec]),
    ),
  ];
  return new Map(
    all.flatMap(([name, spec]): [string, PlainSpec][] => {
      if (!('texts' in spec)) return [[name, spec]];
      const { optional, about } = spec;
      return [
        [name, { dtype: 'U8', axes: [`bytes of ${name}`], optional, about }],
        [`${name}.offsets`, { dtype: 'I64', axes: [`${spec.texts}+1`], optional, about }],
      ];
    }),
  );
}

interface TensorCheck {
  kind: RecordKind;
  name: string;
  spec: PlainSpec;
  tensors: Tensors;
  axes: Map<string, number>;
}

function checkTensor({ kind, name, spec, tensors, axes }: TensorCheck): void {
  const where = `${kind}.${name}`;
  const tensor = tensors.get(name);
  if (tensor === undefined) {
    assert(spec.optional, `${where}: expected a tensor, found none`);
    return;
  }
  assert.equal(tensor.dtype, spec.dtype, where);
  assert.equal(tensor.shape.length, spec.axes.length, where);
  spec.axes.forEach((axis, index) => {
    const size = tensor.shape[index] ?? Number.NaN;
    if (typeof axis === 'number') {
      assert.equal(size, axis, where);
      return;
    }
    const [, base = axis] = /^(.*)\+1$/.exec(axis) ?? [];
    const expected = base === axis ? size : size - 1;
    assert.equal(axes.get(base) ?? expected, expected, `${where}: the axis ${base} has one size`);
    axes.set(base, expected);
  });
  if (tensor.dtype === 'F32' || tensor.dtype === 'F64') {
    assert((tensor.data as Float32Array).every(Number.isFinite), `${where} is finite`);
  }
}

function checkSums(
  kind: RecordKind,
  specs: ReadonlyMap<string, PlainSpec>,
  tensors: Tensors,
  axes: ReadonlyMap<string, number>,
): void {
  for (const [name, { sumsTo }] of specs) {
    const tensor = tensors.get(name);
    if (sumsTo === undefined || tensor === undefined) continue;
    const values = Array.from(tensor.data, Number);
    const sum = values.reduce((total, value) => total + value, 0);
    assert.equal(sum, axes.get(sumsTo), `${kind}.${name} sums to ${sumsTo}`);
  }
  for (const [name, tensor] of tensors) {
    if (!name.endsWith('.offsets')) continue;
    const offsets = Array.from(tensor.data, Number);
    const bytes = tensors.get(name.slice(0, -'.offsets'.length))?.data as Uint8Array;
    assert.equal(offsets[0], 0, name);
    assert.equal(offsets.at(-1), bytes.length, name);
    offsets.forEach((offset, row) => {
      const before = offsets[row - 1] ?? 0;
      assert(offset >= before, name);
      new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(before, offset));
    });
  }
}

function checkDigests(kind: RecordKind, { tensors }: CheckedRecord, lengths?: readonly number[]): void {
  const own = tensors.get('completionLengths');
  for (const [name, digests] of tensors) {
    if (!name.endsWith('.sha256')) continue;
    const column = tensors.get(name.slice(0, -'.sha256'.length));
    const sizes = own ? Array.from(own.data, Number) : lengths;
    assert(column && sizes, `${kind}.${name}: expected its column and the lengths of its sequences`);
    assert.equal(
      Buffer.from(digests.data.buffer, digests.data.byteOffset, digests.data.byteLength).toString('hex'),
      digestsOf(column, sizes).join(''),
      `${kind}.${name}`,
    );
  }
}

/** The SHA-256 of each sequence's bytes of a column. */
export function digestsOf({ dtype, data }: Tensor, lengths: readonly number[]): string[] {
  const bytes = littleEndianBytes(data);
  const width = ELEMENTS[dtype].bytes;
  return rangesOf(lengths).map(([begin, end]) => sha256Of(bytes.subarray(begin * width, end * width)));
}

/** A tensor with another dtype than this one, of the same shape. */
export function withOtherDtype({ dtype, shape, data }: Tensor): Tensor {
  const other: Dtype = DTYPES.find((known) => known !== dtype && ELEMENTS[known].bytes === 4) ?? 'F64';
  const made = new Uint8Array(data.length * ELEMENTS[other].bytes);
  return { dtype: other, shape, data: ELEMENTS[other].view(made.buffer, 0, data.length) } as Tensor;
}

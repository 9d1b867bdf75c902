import type { Tensor } from '../format/dtypes.ts';
import { offsetsOf } from '../format/text-column.ts';
import { type ArraySpec, type RecordKind, recordTensors, type TensorSpec } from './tensors.ts';

/**
 * What is wrong with the tensors of a record of version 2: one that is missing, unknown, of another dtype or shape, or
 * with a number that is not finite.
 * Null where all are as `recordTensors` says. `rewards`: the names of the record's rewards.
 */
export function tensorProblem(
  kind: RecordKind,
  tensors: ReadonlyMap<string, Tensor>,
  rewards: readonly string[] = [],
): string | null {
  const specs = specsOf(kind, rewards);
  const sizes = new Map<string, { size: number; by: string }>();
  for (const [name, spec] of specs) {
    const tensor = tensors.get(name);
    if (tensor === undefined) {
      if (spec.optional) continue;
      return `expected a tensor "${name}" of ${shapeText(spec)}, found none`;
    }
    const problem = problemOf(name, tensor, spec, sizes);
    if (problem !== null) return problem;
  }
  const unknown = [...tensors.keys()].find((name) => !specs.has(name));
  return unknown === undefined ? null : `expected only the tensors of ${kind}, found "${unknown}" as well`;
}

/** The arrays of a record: text columns as their two tensors. */
function specsOf(kind: RecordKind, rewards: readonly string[]): Map<string, ArraySpec> {
  const { tensors, perReward = {} } = recordTensors[kind];
  const named: [string, TensorSpec][] = [
    ...Object.entries(tensors),
    ...rewards.flatMap((reward) =>
      Object.entries(perReward).map(([name, spec]): [string, TensorSpec] => [`${reward}.${name}`, spec]),
    ),
  ];
  return new Map(named.flatMap(([name, spec]) => arraysOf(name, spec)));
}

function arraysOf(name: string, spec: TensorSpec): [string, ArraySpec][] {
  if (!('texts' in spec)) return [[name, spec]];
  const { about } = spec;
  const optional = spec.optional ? { optional: spec.optional } : {};
  return [
    [name, { dtype: 'U8', axes: [`bytes of ${name}`], about, ...optional }],
    [offsetsOf(name), { dtype: 'I64', axes: [`${spec.texts}+1`], about, ...optional }],
  ];
}

const shapeText = ({ dtype, axes }: ArraySpec) => `${dtype} [${axes.join(', ')}]`;

function problemOf(
  name: string,
  { dtype, shape, data }: Tensor,
  spec: ArraySpec,
  sizes: Map<string, { size: number; by: string }>,
): string | null {
  const found = `${dtype} [${shape.join(', ')}]`;
  if (dtype !== spec.dtype || shape.length !== spec.axes.length)
    return `tensor "${name}": expected ${shapeText(spec)}, found ${found}`;
  for (const [index, axis] of spec.axes.entries()) {
    const size = shape[index] ?? 0;
    const problem =
      typeof axis === 'number' ? unequal(size, axis, 'its size') : sizeProblem(axis, size, name, sizes);
    if (problem !== null) return `tensor "${name}" ${found}: axis ${index}: ${problem}`;
  }
  const strange = dtype === 'F32' || dtype === 'F64' ? firstNotFinite(data as Float32Array) : -1;
  if (strange >= 0)
    return `tensor "${name}": element ${strange}: expected a finite number, found ${data[strange]}`;
  if (spec.sumsTo === undefined) return null;
  const sum = sumOf(data as Int32Array);
  if (sum === null) return `tensor "${name}": expected lengths of at least 0, found a negative one`;
  const problem = sizeProblem(spec.sumsTo, sum, `the sum of ${name}`, sizes);
  return problem === null ? null : `tensor "${name}": the sum of its elements: ${problem}`;
}

const unequal = (found: number, expected: number, by: string) =>
  found === expected ? null : `expected ${expected} by ${by}, found ${found}`;

/** The first tensor with an axis decides its size; `N+1` is one more than `N`. */
function sizeProblem(
  axis: string,
  size: number,
  name: string,
  sizes: Map<string, { size: number; by: string }>,
): string | null {
  const plusOne = axis.endsWith('+1');
  const base = plusOne ? axis.slice(0, -'+1'.length) : axis;
  const own = plusOne ? size - 1 : size;
  const known = sizes.get(base);
  if (known === undefined) {
    sizes.set(base, { size: own, by: name });
    return null;
  }
  return unequal(own, known.size, `"${known.by}" (${base})`);
}

/** Null where an element is negative. */
function sumOf(lengths: Int32Array): number | null {
  let sum = 0;
  for (const length of lengths) {
    if (length < 0) return null;
    sum += length;
  }
  return sum;
}

/** -1 where all elements are finite. */
const firstNotFinite = (data: Float32Array) => data.findIndex((value) => !Number.isFinite(value));

/**
 * The keys that a schema has at a path of a document: for suggestions and for dotted paths. The document decides the
 * branch of a union.
 */
import { z } from 'zod';

export type Path = readonly (string | number)[];

/** The value at a path; undefined where there is none. */
export function valueAt(data: unknown, path: Path): unknown {
  let value = data;
  for (const key of path) {
    value = isContainer(value) && Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined;
  }
  return value;
}

/** The keys of the object that the schema expects at `path`; none for other types. */
export function keysAt(schema: z.core.$ZodType, data: unknown, path: Path): string[] {
  const found = schemaAt(schema, data, path);
  const object = found && resolve(found, valueAt(data, path));
  return object instanceof z.ZodObject ? Object.keys(object.shape) : [];
}

/** The schema at `path`; undefined for an unknown path. */
export function schemaAt(schema: z.core.$ZodType, data: unknown, path: Path): z.core.$ZodType | undefined {
  let at: z.core.$ZodType | undefined = schema;
  for (const [depth, key] of path.entries()) {
    if (at === undefined) return undefined;
    at = childOf(resolve(at, valueAt(data, path.slice(0, depth))), key);
  }
  return at;
}

function childOf(schema: z.core.$ZodType, key: string | number): z.core.$ZodType | undefined {
  if (schema instanceof z.ZodObject) return Object.hasOwn(schema.shape, key) ? schema.shape[key] : undefined;
  if (schema instanceof z.ZodArray) return schema.element;
  return undefined;
}

/** Unwraps defaults and optional types, and selects the branch of a union by its discriminator in `value`. */
function resolve(schema: z.core.$ZodType, value: unknown): z.core.$ZodType {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodOptional || schema instanceof z.ZodNullable) {
    return resolve(schema.unwrap(), value);
  }
  if (!(schema instanceof z.ZodDiscriminatedUnion)) return schema;
  const { discriminator } = schema.def;
  const branch = schema.options.find(
    (option) =>
      option instanceof z.ZodObject &&
      z.safeParse(option.shape[discriminator], valueAt(value, [discriminator])).success,
  );
  const only = schema.options.length === 1 ? schema.options[0] : undefined;
  return branch ?? only ?? schema;
}

function isContainer(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** `stages[0].options.learning_rate`; empty for the root. */
export function pathText(path: Path): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === 'number') return `${text}[${key}]`;
    return text === '' ? keyText(key) : `${text}.${keyText(key)}`;
  }, '');
}

const LONGEST_KEY = 60;

/** A key, quoted unless it is a plain word, and cut. */
function keyText(key: string): string {
  const short = key.length > LONGEST_KEY ? `${key.slice(0, LONGEST_KEY)}…` : key;
  return /^[\p{L}\p{N}_/…-]+$/u.test(short) ? short : JSON.stringify(short);
}

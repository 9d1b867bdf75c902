/** What a layout is, and the schemas that layouts share. */
import { z } from 'zod';
import { numberText, type PromptRow } from '../../../algorithm/data/prompt-row.ts';
import { parseExactJson, stringifyExactJson } from '../../../contracts/exact-json.ts';
import { InvalidText } from './parquet-rows.ts';

/** What the rows of a data set are, which decides what they can be used for. */
const dataKinds = ['prompts', 'preferences', 'labels', 'examples'] as const;
export type DataKind = (typeof dataKinds)[number];

/** A kept row by its kind, without its split. */
export interface ItemOf {
  /** for reinforcement learning and evaluations */
  prompts: Omit<PromptRow, 'split'>;
  /** for helpfulness reward models */
  preferences: { prompt: string; chosen: string; rejected: string };
  /** for safety reward models */
  labels: { prompt: string; response: string; safe: boolean };
  /** for supervised fine-tuning */
  examples: { problem: string; response: string; domain: string };
}

interface LayoutOptions {
  /** for prompts and examples whose layout names no domain */
  domain?: string | undefined;
}

export interface Layout<Kind extends DataKind = DataKind> {
  kind: Kind;
  /** the fields that identify it, for messages */
  fields: string;
  /** Whether a row has this layout; the first that matches is used. */
  matches(row: Row): boolean;
  /** Converts a row. Throws RefusedRow. */
  read(row: Row, options: LayoutOptions): ItemOf[Kind];
}

export type Row = Record<string, unknown>;

/** A row that cannot be used, with the field and the reason. */
export class RefusedRow extends Error {
  override name = 'RefusedRow';
  readonly field: string;

  constructor(field: string, message: string) {
    super(message);
    this.field = field;
  }
}

export const has = (row: Row, ...fields: string[]) =>
  fields.every((field) => row[field] !== undefined && row[field] !== null);

/** A layout whose rows are validated by a schema before they are read. */
export function layout<Kind extends DataKind, Fields>(definition: {
  kind: Kind;
  fields: string;
  matches(row: Row): boolean;
  schema: z.ZodType<Fields>;
  read(fields: Fields, options: LayoutOptions): ItemOf[Kind];
}): Layout<Kind> {
  const { schema, read, ...rest } = definition;
  return {
    ...rest,
    read(row, options) {
      const parsed = schema.safeParse(row);
      if (parsed.success) return read(parsed.data, options);
      const [issue] = parsed.error.issues;
      throw new RefusedRow(issue?.path.join('.') ?? '', issue?.message ?? 'not of the layout');
    },
  };
}

/** A value, for a message. */
export function described(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value instanceof InvalidText) return String(value);
  const text = stringifyExactJson(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

export const filled = z
  .string({ error: ({ input }) => `expected a text, found ${described(input)}` })
  .refine((text) => text.trim() !== '', { error: 'expected a text, found an empty one' });

/** A field that may be null, missing or blank. */
export const optional = <Schema extends z.ZodType>(schema: Schema) =>
  z.preprocess(
    (value) => (typeof value === 'string' && value.trim() === '' ? null : value),
    schema.nullish(),
  );

/** The first of several fields that is present. Throws RefusedRow. */
export function firstOf<Value>(row: Row, fields: readonly string[]): { field: string; value: Value } {
  for (const field of fields) {
    const value = row[field];
    if (value !== undefined && value !== null) return { field, value: value as Value };
  }
  const field = fields.find((each) => each in row) ?? fields[0] ?? '';
  throw new RefusedRow(field, `expected ${fields.join(' or ')}, found none`);
}

/** An answer; numbers keep all their digits. */
export const answerText = z.preprocess(
  (value) => numberText(value) ?? value,
  z
    .string({ error: ({ input }) => `expected a text or a number, found ${described(input)}` })
    .refine((text) => text.trim() !== '', { error: 'expected a text, found an empty one' }),
);

/** An object or a list, which may be JSON in a text. */
export const jsonOr = <Schema extends z.ZodType>(schema: Schema) =>
  z.preprocess((value) => {
    if (typeof value !== 'string') return value;
    try {
      const held = parseExactJson(value);
      return typeof held === 'object' ? (held ?? value) : value;
    } catch {
      return value;
    }
  }, schema);

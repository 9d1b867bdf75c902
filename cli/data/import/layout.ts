import { z } from 'zod';
import { numberText, type PromptRow } from '../../../algorithm/data/prompt-row.ts';
import { parseExactJson, stringifyExactJson } from '../../../contracts/exact-json.ts';
import { InvalidText } from './parquet-rows.ts';

/** What a data set is made of, and so what it can be used for. */
const dataKinds = ['prompts', 'preferences', 'labels', 'examples'] as const;
export type DataKind = (typeof dataKinds)[number];

/** A row as it is kept, by its kind; the split is told apart. */
export interface ItemOf {
  /** what reinforcement learning and evaluations draw */
  prompts: Omit<PromptRow, 'split'>;
  /** what a helpfulness reward model is trained on */
  preferences: { prompt: string; chosen: string; rejected: string };
  /** what a safety reward model is trained on */
  labels: { prompt: string; response: string; safe: boolean };
  /** what is imitated */
  examples: { problem: string; response: string; domain: string };
}

export interface LayoutOptions {
  /** of prompts and examples whose layout does not say it */
  domain?: string | undefined;
}

/** One layout that data sets come in. */
export interface Layout<Kind extends DataKind = DataKind> {
  kind: Kind;
  /** for people: the fields that it is told by */
  fields: string;
  /** Whether a row is of this layout; the first layout of the table that says so is it. */
  matches(row: Row): boolean;
  /** The row as it is kept. Throws RefusedRow. */
  read(row: Row, options: LayoutOptions): ItemOf[Kind];
}

export type Row = Record<string, unknown>;

/** A row that cannot be used: which field, and why. */
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

/** A layout whose rows are held to a schema before they are read. */
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

/** A value in a message. */
export function described(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value instanceof InvalidText) return String(value);
  const text = stringifyExactJson(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

export const filled = z
  .string({ error: ({ input }) => `expected a text, found ${described(input)}` })
  .refine((text) => text.trim() !== '', { error: 'expected a text, found an empty one' });

/** A field that may be null, missing or blank, which all say nothing. */
export const optional = <Schema extends z.ZodType>(schema: Schema) =>
  z.preprocess(
    (value) => (typeof value === 'string' && value.trim() === '' ? null : value),
    schema.nullish(),
  );

/** The first of several fields that says something. Throws RefusedRow naming the one that the row has. */
export function firstOf<Value>(row: Row, fields: readonly string[]): { field: string; value: Value } {
  for (const field of fields) {
    const value = row[field];
    if (value !== undefined && value !== null) return { field, value: value as Value };
  }
  const field = fields.find((each) => each in row) ?? fields[0] ?? '';
  throw new RefusedRow(field, `expected ${fields.join(' or ')}, found none`);
}

/** Numbers are answers too, with every digit that they are written with. */
export const answerText = z.preprocess(
  (value) => numberText(value) ?? value,
  z
    .string({ error: ({ input }) => `expected a text or a number, found ${described(input)}` })
    .refine((text) => text.trim() !== '', { error: 'expected a text, found an empty one' }),
);

/** Columns that hold an object or a list as JSON in a text are read as what they hold. */
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

/** Rows by the names of their columns: written to the columns of `tables`, read through a schema. */
import { z } from 'zod';
import { Failure } from '../../contracts/failures.ts';
import { issueText } from '../../contracts/issue-text.ts';
import type { Queryable } from './database.ts';
import { type ColumnType, type NewRow, SQL_TYPES, type TableName, tables } from './tables.ts';

/** A value for a jsonb parameter: the driver would pass an array as a PostgreSQL array. */
export const json = (value: unknown): string => JSON.stringify(value);

export interface InsertOptions {
  /** `nothing`: an existing row with the same key is not changed */
  onConflict?: 'nothing';
  /** what to return of each inserted row, as SQL */
  returning?: string;
}

/** Inserts a row. Columns that are left out get their defaults. */
export async function insertRow<Table extends TableName>(
  writer: Queryable,
  table: Table,
  row: NewRow<Table>,
  options: InsertOptions = {},
): Promise<object[]> {
  const given = Object.entries(row).filter(([, value]) => value !== undefined);
  const columns = given.map(([name]) => columnOf(table, name));
  const names = columns.map(({ name }) => name).join(', ');
  const parameters = columns.map(({ sqlType }, index) => `$${index + 1}::${sqlType}`).join(', ');
  return writer.query(
    `INSERT INTO ${table} (${names}) VALUES (${parameters}) ${endOf(options)}`,
    columns.map(({ encode }, index) => encode(given[index]?.[1])),
  );
}

/** What one statement holds at most: rows, and characters of their texts. */
const MOST_ROWS = 2_000;
const MOST_CHARACTERS = 2 ** 22;

/**
 * Inserts rows in their order, `shared` holding the columns that are equal in all of them. All rows name the same
 * columns. A statement has one array for each column, so that its text is the same however many rows it inserts; its
 * size is bounded, because PostgreSQL ends a transaction that waits long for its next statement.
 */
export async function insertRows<Table extends TableName, Shared extends Partial<NewRow<Table>>>(
  writer: Queryable,
  table: Table,
  shared: Shared,
  rows: readonly Omit<NewRow<Table>, keyof Shared>[],
  options: InsertOptions = {},
): Promise<object[]> {
  const [first] = rows;
  if (first === undefined) return [];
  const common = Object.entries(shared).map(([name, value]) => ({ ...columnOf(table, name), value }));
  const columns = Object.keys(first).map((name) => columnOf(table, name));
  const names = [...common, ...columns].map(({ name }) => name);
  const values = common.map(({ sqlType }, index) => `$${index + 1}::${sqlType}`);
  const arrays = columns.map(({ sqlType }, index) => `$${common.length + index + 1}::${sqlType}[]`);
  const statement = `INSERT INTO ${table} (${names.join(', ')})
     SELECT ${[...values, ...columns.map(({ name }) => `r.${name}`)].join(', ')}
     FROM unnest(${arrays.join(', ')}) WITH ORDINALITY AS r (${columns.map(({ name }) => name).join(', ')}, nth)
     ORDER BY r.nth ${endOf(options)}`;
  const returned: object[] = [];
  for (const batch of batchesOf(table, columns, rows)) {
    const parameters = [...common.map(({ encode, value }) => encode(value)), ...batch];
    returned.push(...(await writer.query(statement, parameters)));
  }
  return returned;
}

const endOf = ({ onConflict, returning }: InsertOptions) =>
  [onConflict && 'ON CONFLICT DO NOTHING', returning && `RETURNING ${returning}`].filter(Boolean).join(' ');

interface Column {
  name: string;
  sqlType: string;
  encode(value: unknown): unknown;
}

/** Names become part of a statement: only those of `tables` do. */
function columnOf(table: TableName, name: string): Column {
  const columns: Readonly<Record<string, string>> = tables[table];
  const type = Object.hasOwn(columns, name) ? columns[name] : undefined;
  if (type === undefined) throw new Error(`expected a column of the table ${table}, found "${name}"`);
  const required = type.replace('?', '') as ColumnType;
  const isJson = required === 'json';
  return {
    name,
    sqlType: SQL_TYPES[required],
    encode: (value) => (value === undefined || value === null ? null : isJson ? json(value) : value),
  };
}

/** The arrays of each statement, one for each column. */
function* batchesOf(
  table: TableName,
  columns: readonly Column[],
  rows: readonly object[],
): Generator<unknown[][]> {
  let arrays: unknown[][] = columns.map(() => []);
  let count = 0;
  let characters = 0;
  for (const row of rows) {
    const values = valuesOf(table, columns, row);
    const more = values.reduce<number>(
      (sum, value) => sum + (typeof value === 'string' ? value.length : 0),
      0,
    );
    if (count === MOST_ROWS || (count > 0 && characters + more > MOST_CHARACTERS)) {
      yield arrays;
      arrays = columns.map(() => []);
      count = 0;
      characters = 0;
    }
    for (const [index, value] of values.entries()) arrays[index]?.push(value);
    count++;
    characters += more;
  }
  yield arrays;
}

function valuesOf(table: TableName, columns: readonly Column[], row: object): unknown[] {
  const names = Object.keys(row);
  if (names.length !== columns.length || !columns.every(({ name }) => Object.hasOwn(row, name))) {
    const expected = columns.map(({ name }) => name).join(', ');
    throw new Error(`table ${table}: expected rows with the columns ${expected}, found ${names.join(', ')}`);
  }
  return columns.map(({ name, encode }) => encode(Reflect.get(row, name)));
}

/**
 * The rows of a query, each checked by `schema`. `table` names in errors what the rows are read from.
 * @throws Failure 'CorruptObject' naming the table and the column where a row does not fit.
 */
export async function readRows<Row>(
  reader: Queryable,
  table: string,
  schema: z.ZodType<Row>,
  sql: string,
  values?: readonly unknown[],
): Promise<Row[]> {
  return parseRows(table, schema, await reader.query(sql, values));
}

/** The first row of a query, or undefined. Throws as `readRows` does. */
export async function readRow<Row>(
  reader: Queryable,
  table: string,
  schema: z.ZodType<Row>,
  sql: string,
  values?: readonly unknown[],
): Promise<Row | undefined> {
  const [row] = await readRows(reader, table, schema, sql, values);
  return row;
}

/** Rows that a statement returned, each checked by `schema`. Throws as `readRows` does. */
export const parseRows = <Row>(table: string, schema: z.ZodType<Row>, rows: readonly object[]): Row[] =>
  rows.map((row) => {
    const parsed = schema.safeParse(row);
    return parsed.success ? parsed.data : refuseRow(table, row, parsed.error.issues);
  });

const MOST_NAMED = 3;

function refuseRow(table: string, row: object, issues: readonly z.core.$ZodIssue[]): never {
  const texts = issues.slice(0, MOST_NAMED).map((issue) => {
    const [column, ...within] = issue.path.map(String);
    const field = within.length > 0 ? ` (${within.join('.')})` : '';
    return `column ${snakeCase(column ?? '?')}${field}: ${issueText(issue, valueAt(row, issue.path))}`;
  });
  throw new Failure(
    'CorruptObject',
    `PostgreSQL, a row of ${table}, ${texts.join('; ')}. Restore the row from a backup if it was altered; ` +
      'if another release wrote it, read it with that release.',
  );
}

/** Queries return `digest_before` as `digestBefore`. */
const snakeCase = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

const valueAt = (value: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>(
    (at, key) => (typeof at === 'object' && at !== null ? Reflect.get(at, key) : undefined),
    value,
  );

/**
 * A JSON document that is checked by a schema and kept as it was stored, without this release's defaults. For documents
 * that are compared or hashed, and for those that an earlier release may have written.
 */
export const asStored = <Document>(schema: z.ZodType) =>
  z.custom<Document>((value) => schema.safeParse(value).success, {
    error: ({ input }) =>
      (schema.safeParse(input).error?.issues ?? [])
        .map((issue) =>
          [issue.path.join('.'), issueText(issue, valueAt(input, issue.path))].filter(Boolean).join(': '),
        )
        .join('; '),
  });

import pg from 'pg';
import { Failure } from '../../contracts/failures.ts';
import { databaseFailure } from './database-failures.ts';

/** Anything that answers queries: the database itself, or a transaction in it. */
export interface Queryable {
  /** All rows. Throws Failure where the server is away or refuses; other errors of the server as they come. */
  query<Row extends object = object>(sql: string, values?: readonly unknown[]): Promise<Row[]>;
}

declare const inTransaction: unique symbol;
/** A transaction under way: what it wrote is there for others when it ends well, or not at all. */
export interface Transaction extends Queryable {
  readonly [inTransaction]: true;
}

/** PostgreSQL behind a bounded pool. */
export interface Database extends Queryable {
  /** Where it is, without the password: for messages. */
  readonly place: string;
  /** Runs `work` in one transaction (read committed); rolls back if it throws. */
  transaction<Result>(work: (tx: Transaction) => Promise<Result>): Promise<Result>;
  /** Runs several reads that see one and the same state of the rows. */
  snapshot<Result>(work: (reader: Queryable) => Promise<Result>): Promise<Result>;
  close(): Promise<void>;
}

const LIMITS = {
  max: 8,
  connectionTimeoutMillis: 5_000,
  idleTimeoutMillis: 30_000,
  /** server's side: one statement */
  statement_timeout: 60_000,
  /** server's side: waiting for a lock */
  lock_timeout: 20_000,
  /** server's side: a stopped process must not hold a branch's lock for ever */
  idle_in_transaction_session_timeout: 30_000,
  /** our side: a server that vanished without a word */
  query_timeout: 90_000,
} as const;

const { builtins } = pg.types;
type Parse = (text: string) => unknown;
/** Times as ISO strings; 64-bit integers as numbers, which all of ours fit. Everything else as pg has it. */
const PARSERS: ReadonlyMap<number, Parse> = new Map<number, Parse>([
  [builtins.TIMESTAMPTZ, (text) => new Date(text).toISOString()],
  [builtins.INT8, Number],
]);

/**
 * Opens PostgreSQL at `postgres://user:password@host:port/database`. Connects with the first query, and
 * again by itself after the server was restarted.
 * @throws Failure 'InvalidInput' where `url` is none.
 */
export function createDatabase(url: string): Database {
  const place = databasePlace(url);
  const pool = new pg.Pool({
    connectionString: url,
    application_name: 'durable-r1',
    keepAlive: true,
    types: {
      getTypeParser: (oid: number, format?: 'text' | 'binary') =>
        PARSERS.get(oid) ?? pg.types.getTypeParser(oid, format as 'text'),
    },
    ...LIMITS,
  });
  // A server that goes away breaks its connections outside any query. The pool drops them, and whoever
  // held one learns it from its next query.
  pool.on('error', () => {});
  pool.on('connect', (client) => client.on('error', () => {}));

  const begin = async <Result>(mode: string, work: (tx: Transaction) => Promise<Result>) => {
    const client = await pool.connect().catch(rethrow(place));
    return inside(client, mode, place, work);
  };
  return {
    place,
    query: (sql, values) => answer(pool, place, sql, values),
    transaction: (work) => begin('', work),
    snapshot: (work) => begin('ISOLATION LEVEL REPEATABLE READ, READ ONLY', work),
    close: () => pool.end(),
  };
}

/** The address without user or password. Throws Failure 'InvalidInput' where it is none. */
export function databasePlace(url: string): string {
  if (!URL.canParse(url)) {
    throw new Failure(
      'InvalidInput',
      'R1_DATABASE_URL: expected postgres://user:password@host:port/database, found something else (not shown). ' +
        'Mend it, percent-encoding special characters of the password, or unset it.',
    );
  }
  const { hostname, port, pathname, searchParams } = new URL(url);
  return `${searchParams.get('host') ?? hostname}:${port || '5432'}${pathname}`;
}

async function inside<Result>(
  client: pg.PoolClient,
  mode: string,
  place: string,
  work: (tx: Transaction) => Promise<Result>,
): Promise<Result> {
  const query: Queryable['query'] = (sql, values) => answer(client, place, sql, values);
  try {
    await query(`BEGIN ${mode}`);
    const result = await work({ query } as Transaction);
    await query('COMMIT');
    client.release();
    return result;
  } catch (error) {
    await giveUp(client);
    throw error;
  }
}

/** Rolls back; a connection on which even that fails is closed, and the server rolls back. */
async function giveUp(client: pg.PoolClient): Promise<void> {
  const broken = await client.query('ROLLBACK').then(
    () => false,
    () => true,
  );
  client.release(broken);
}

async function answer<Row extends object>(
  on: pg.Pool | pg.PoolClient,
  place: string,
  sql: string,
  values?: readonly unknown[],
): Promise<Row[]> {
  const result = await on.query(sql, values && [...values]).catch(rethrow(place));
  return result.rows as Row[];
}

const rethrow =
  (place: string) =>
  (error: unknown): never => {
    throw databaseFailure(error, place);
  };

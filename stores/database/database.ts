import pg from 'pg';
import { Failure } from '../../contracts/failures.ts';
import { databaseFailure } from './database-failures.ts';

/** Anything that runs queries: the database itself, or a transaction in it. */
export interface Queryable {
  /**
   * All rows, unchecked: stores read them through `readRows`. Throws Failure where the server cannot be reached or
   * refuses; other errors of the server are thrown as they are.
   */
  query<Row extends object = object>(sql: string, values?: readonly unknown[]): Promise<Row[]>;
}

declare const inTransaction: unique symbol;
/** An open transaction: others see what it wrote once it has committed. */
export interface Transaction extends Queryable {
  readonly [inTransaction]: true;
}

/** PostgreSQL behind a bounded pool. */
export interface Database extends Queryable {
  /** Its address without the password, for messages. */
  readonly address: string;
  /** Runs `work` in one transaction (read committed), and rolls back if it throws. */
  transaction<Result>(work: (tx: Transaction) => Promise<Result>): Promise<Result>;
  /** Runs several reads in one snapshot of the rows. */
  snapshot<Result>(work: (reader: Queryable) => Promise<Result>): Promise<Result>;
  close(): Promise<void>;
}

const LIMITS = {
  max: 8,
  connectionTimeoutMillis: 5_000,
  idleTimeoutMillis: 30_000,
  /** on the server: one statement */
  statement_timeout: 60_000,
  /** on the server: waiting for a lock */
  lock_timeout: 20_000,
  /** on the server: a stopped process must not keep a branch locked */
  idle_in_transaction_session_timeout: 30_000,
  /** in this process: a server that no longer answers */
  query_timeout: 90_000,
} as const;

const { builtins } = pg.types;
type Parse = (text: string) => unknown;
/** Times as ISO strings; 64-bit integers as numbers, since all of ours are exact as doubles. Other types as pg parses them. */
const PARSERS: ReadonlyMap<number, Parse> = new Map<number, Parse>([
  [builtins.TIMESTAMPTZ, (text) => new Date(text).toISOString()],
  [builtins.INT8, Number],
]);

/**
 * Opens PostgreSQL at `postgres://user:password@host:port/database`. Connects with the first query, and
 * reconnects after the server was restarted.
 * @throws Failure 'InvalidInput' where `url` is not such a URL.
 */
export function createDatabase(url: string): Database {
  const address = databaseAddress(url);
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
  // A server that goes away breaks its connections outside any query. The pool drops them; a transaction that used one
  // fails at its next query.
  pool.on('error', () => {});
  pool.on('connect', (client) => client.on('error', () => {}));

  const begin = async <Result>(mode: string, work: (tx: Transaction) => Promise<Result>) => {
    const client = await pool.connect().catch(rethrow(address));
    return inside(client, mode, address, work);
  };
  return {
    address,
    query: (sql, values) => run(pool, address, sql, values),
    transaction: (work) => begin('', work),
    snapshot: (work) => begin('ISOLATION LEVEL REPEATABLE READ, READ ONLY', work),
    close: () => pool.end(),
  };
}

/** The address without user or password. Throws Failure 'InvalidInput' where `url` is not a URL. */
export function databaseAddress(url: string): string {
  if (!URL.canParse(url)) {
    throw new Failure(
      'InvalidInput',
      'R1_DATABASE_URL: expected postgres://user:password@host:port/database, found something else (not shown). ' +
        'Correct it (special characters of the password percent-encoded), or unset it.',
    );
  }
  const { hostname, port, pathname, searchParams } = new URL(url);
  return `${searchParams.get('host') ?? hostname}:${port || '5432'}${pathname}`;
}

async function inside<Result>(
  client: pg.PoolClient,
  mode: string,
  address: string,
  work: (tx: Transaction) => Promise<Result>,
): Promise<Result> {
  const query: Queryable['query'] = (sql, values) => run(client, address, sql, values);
  try {
    await query(`BEGIN ${mode}`);
    const result = await work({ query } as Transaction);
    await query('COMMIT');
    client.release();
    return result;
  } catch (error) {
    await rollBack(client);
    throw error;
  }
}

/** Rolls back. Where that fails the connection is closed, and the server rolls back. */
async function rollBack(client: pg.PoolClient): Promise<void> {
  const broken = await client.query('ROLLBACK').then(
    () => false,
    () => true,
  );
  client.release(broken);
}

async function run<Row extends object>(
  on: pg.Pool | pg.PoolClient,
  address: string,
  sql: string,
  values?: readonly unknown[],
): Promise<Row[]> {
  const result = await on.query(sql, values && [...values]).catch(rethrow(address));
  return result.rows as Row[];
}

const rethrow =
  (address: string) =>
  (error: unknown): never => {
    throw databaseFailure(error, address);
  };

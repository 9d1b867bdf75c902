import { chownSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import pg from 'pg';
import { messageOf, StackError } from '../errors.ts';
import { readIfThere } from '../machine/atomic-file.ts';
import { runCommand } from '../machine/command.ts';
import { LOOPBACK } from '../machine/ports.ts';
import type { HomePaths } from '../paths.ts';
import type { ManagedProcess } from '../supervisor/managed-process.ts';
import {
  makeReachable,
  postgresBinaries,
  postgresDataFolder,
  postgresUser,
  type User,
} from './postgres-install.ts';
import type { Secrets } from './secrets.ts';

/** Name of the local server's owner, and of its database. */
const NAME = 'r1';

/** File in the data folder that names the home to which the data belong. */
const HOME_ID_FILE = 'r1-home-id';

export type PostgresServer = { process: ManagedProcess; data: string; version: string };

type Options = {
  paths: HomePaths;
  secrets: Secrets;
  port: number;
  environment: Record<string, string>;
  onProgress: (line: string) => void;
};

/** Prepares the local PostgreSQL: its user, its data folder, and a database cluster, created where there is none. */
export async function preparePostgres(options: Options): Promise<PostgresServer> {
  const { paths, secrets, onProgress } = options;
  const user = await postgresUser(onProgress);
  const binaries = postgresBinaries(user, onProgress);
  const data = postgresDataFolder(paths.postgres, paths.home, user);
  if (data !== paths.postgres) onProgress(`PostgreSQL's data are in ${data}, which its user can reach`);
  setAsideForeignData(data, secrets, onProgress);
  const version = await majorVersion(join(binaries, 'postgres'));
  if (!existsSync(data)) await createCluster(binaries, data, user, secrets);
  refuseOtherVersion(data, version);
  return { process: server(options, binaries, data, user), data, version };
}

function server(options: Options, binaries: string, data: string, user: User | undefined): ManagedProcess {
  const { port, environment } = options;
  return {
    name: 'postgres',
    role: 'postgres',
    command: join(binaries, 'postgres'),
    args: [
      '-D',
      data,
      '-p',
      String(port),
      ...Object.entries(PARAMETERS).flatMap(([k, v]) => ['-c', `${k}=${v}`]),
    ],
    cwd: data,
    environment: { ...environment, LC_ALL: 'C' },
    user,
    beforeStart: () => removeStalePidFile(data),
    isReady: () => ensureDatabase(localDatabaseUrl(options)),
  };
}

/** Durable (fsync and synchronous_commit stay on), only on the loopback address, and small. */
const PARAMETERS = {
  listen_addresses: LOOPBACK,
  unix_socket_directories: '',
  shared_buffers: '64MB',
  max_wal_size: '256MB',
  jit: 'off',
  timezone: 'UTC',
  log_timezone: 'UTC',
};

/** The local server's URL with its password. */
function localDatabaseUrl(of: { secrets: Secrets; port: number }): string {
  return `postgres://${NAME}:${of.secrets.postgresPassword}@${LOOPBACK}:${of.port}/${NAME}`;
}

/** Made under another name and then renamed: a folder with the final name is always complete. */
async function createCluster(
  binaries: string,
  data: string,
  user: User | undefined,
  secrets: Secrets,
): Promise<void> {
  makeReachable(dirname(data));
  const fresh = `${data}.new`;
  const passwordFile = `${data}.password`;
  rmSync(fresh, { recursive: true, force: true });
  ownedBy(user, fresh, () => mkdirSync(fresh, { mode: 0o700 }));
  ownedBy(user, passwordFile, () => writeFileSync(passwordFile, secrets.postgresPassword, { mode: 0o600 }));
  try {
    await runCommand(join(binaries, 'initdb'), initdbArguments(fresh, passwordFile), {
      timeoutSeconds: 120,
      environment: { LC_ALL: 'C', PATH: '/usr/bin:/bin' },
      cwd: dirname(data),
      ...user,
    });
  } catch (error) {
    throw new StackError(`Expected to create a PostgreSQL cluster in ${data}, found: ${messageOf(error)}`);
  } finally {
    rmSync(passwordFile, { force: true });
  }
  ownedBy(user, join(fresh, HOME_ID_FILE), () => writeFileSync(join(fresh, HOME_ID_FILE), secrets.homeId));
  renameSync(fresh, data);
}

function initdbArguments(data: string, passwordFile: string): string[] {
  return [
    `--pgdata=${data}`,
    `--username=${NAME}`,
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--locale=C',
    '--encoding=UTF8',
    '--no-instructions',
  ];
}

function ownedBy(user: User | undefined, path: string, make: () => void): void {
  make();
  if (user !== undefined) chownSync(path, user.uid, user.gid);
}

/** Data outside the home outlive it: those of an earlier home have another password and refer to lost objects. */
function setAsideForeignData(data: string, secrets: Secrets, onProgress: (line: string) => void): void {
  if (!existsSync(data) || readIfThere(join(data, HOME_ID_FILE)) === secrets.homeId) return;
  const aside = `${data}.set-aside-${Date.now()}`;
  renameSync(data, aside);
  onProgress(`${data} belongs to a home that no longer exists: renamed to ${aside}, which may be removed`);
}

async function majorVersion(postgres: string): Promise<string> {
  const printed = await runCommand(postgres, ['--version'], { timeoutSeconds: 15 });
  return /(\d+)\./.exec(printed)?.[1] ?? printed.trim();
}

function refuseOtherVersion(data: string, version: string): void {
  const found = readIfThere(join(data, 'PG_VERSION'))?.trim();
  if (found === version) return;
  throw new StackError(
    `${data}: expected data of PostgreSQL ${version}, found data of ${found ?? 'an unknown version'}. ` +
      'Export them with the durable-r1 that wrote them, or remove them: r1 down --purge.',
  );
}

/**
 * After a SIGKILL the pid file stays. PostgreSQL removes it unless a process of its user has that number; after a reboot or
 * in a container that may be an unrelated process. Line 1 is the pid.
 */
function removeStalePidFile(data: string): void {
  const path = join(data, 'postmaster.pid');
  const pid = Number(readIfThere(path)?.split('\n')[0]);
  if (Number.isInteger(pid) && pid > 0 && !isPostgres(pid, data)) rmSync(path, { force: true });
}

/** Where the system does not show a process's command line, PostgreSQL's own check decides. */
function isPostgres(pid: number, data: string): boolean {
  if (process.platform !== 'linux') return true;
  return readIfThere(`/proc/${pid}/cmdline`)?.split('\0').includes(data) ?? false;
}

/** Connects, and creates the database where it is missing. */
async function ensureDatabase(url: string): Promise<boolean> {
  const maintenance = new URL(url);
  maintenance.pathname = '/postgres';
  await withClient(maintenance.href, async (client) => {
    const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [NAME]);
    if (rowCount === 0) await client.query(`CREATE DATABASE ${NAME}`);
  });
  return true;
}

async function withClient(url: string, action: (client: pg.Client) => Promise<void>): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5000 });
  client.on('error', () => undefined);
  await client.connect();
  try {
    await action(client);
  } finally {
    await client.end();
  }
}

/** SQLSTATE of a refused connection → reason. */
const REFUSALS: Record<string, string> = {
  '28P01': 'the password is refused',
  '28000': 'the user is refused',
  '3D000': 'the database does not exist',
};

/**
 * Checks that an external server accepts the connection.
 * @throws StackError naming the address, without its password, and the reason.
 */
export async function checkDatabase(url: string): Promise<void> {
  try {
    await withClient(url, async (client) => void (await client.query('SELECT 1')));
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    const found = REFUSALS[code] ?? (messageOf(error) || code);
    throw new StackError(
      `R1_DATABASE_URL: expected a PostgreSQL server that accepts the connection at ${withoutPassword(url)}, found: ${found}. ` +
        'Correct the variable or the server, or unset it to use the local PostgreSQL.',
    );
  }
}

/** The address as it may be shown. */
export function withoutPassword(url: string): string {
  const shown = new URL(url);
  shown.password = '';
  return shown.href;
}

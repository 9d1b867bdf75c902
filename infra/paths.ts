import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** The project's folder, from which workers are started. */
export const PROJECT_ROOT = resolve(import.meta.dirname, '..');
/** SQL files that create the database's schema, in the order of their names. */
export const MIGRATIONS = resolve(PROJECT_ROOT, 'infra/migrations');

/** Paths of the local stack's files. */
export type HomePaths = {
  home: string;
  /** The stack's state, rewritten at every change. */
  state: string;
  /** Identity of the one supervisor of this home. */
  lock: string;
  /** Generated passwords and keys, mode 0600. */
  secrets: string;
  /** Certificate with which the parts of the local S3 server authenticate each other. */
  certificates: string;
  /** Ports of the last start, preferred at the next. */
  ports: string;
  /** Socket on which the supervisor receives commands. */
  socket: string;
  logs: string;
  temporal: string;
  postgres: string;
  s3: string;
  /** Notes of the leases that trainers hold. */
  leases: string;
};

export function homePaths(home: string): HomePaths {
  return {
    home,
    state: join(home, 'state.json'),
    lock: join(home, 'supervisor.lock'),
    secrets: join(home, 'secrets.json'),
    certificates: join(home, 'certificates'),
    ports: join(home, 'ports.json'),
    socket: socketPath(home),
    logs: join(home, 'logs'),
    temporal: join(home, 'temporal'),
    postgres: join(home, 'postgres'),
    s3: join(home, 's3'),
    leases: join(home, 'leases'),
  };
}

/** A short name for a home, the same at every start. */
export function homeHash(home: string): string {
  return createHash('sha256').update(home).digest('hex').slice(0, 12);
}

/** A Unix socket's path has at most 103 bytes on macOS, 107 on Linux. */
const LONGEST_SOCKET_PATH = 100;

/** The socket's path in the home, or in the system's temporary folder where that path is too long for a socket. */
export function socketPath(home: string, temporary = tmpdir()): string {
  const inside = join(home, 'control.sock');
  return Buffer.byteLength(inside) <= LONGEST_SOCKET_PATH
    ? inside
    : join(temporary, `r1-${homeHash(home)}.sock`);
}

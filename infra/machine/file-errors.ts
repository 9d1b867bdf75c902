import { existsSync, lstatSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { StackError } from '../errors.ts';

/** What the system found, by its error code, and what a person can do about it. */
const MEANINGS: Record<string, { found: string; next: string }> = {
  ENOSPC: { found: 'its disk has no free space', next: 'Free some space there' },
  EDQUOT: { found: 'the quota of this user is used up', next: 'Free some space, or have the quota raised' },
  EROFS: { found: 'its file system is read-only', next: 'Mount it for writing' },
  EACCES: { found: 'this user has no permission', next: 'Give this user the permission' },
  EPERM: { found: 'the system does not allow it', next: 'Choose a folder that you own' },
  ENOTDIR: { found: 'a file is where a folder is expected', next: 'Move that file away' },
  EEXIST: { found: 'something else has its name', next: 'Move that away' },
  EISDIR: { found: 'a folder is where a file is expected', next: 'Move that folder away' },
  ELOOP: { found: 'its symbolic links form a loop', next: 'Correct the links' },
  ENAMETOOLONG: { found: 'its name is too long', next: 'Choose a shorter one' },
  ENOENT: { found: 'a parent folder is missing or cannot be created', next: 'Create that folder' },
  EIO: { found: 'its disk has failed', next: 'Check the disk' },
  EMFILE: { found: 'this process has too many files open', next: 'Raise the limit (ulimit -n)' },
  ENFILE: { found: 'the system has too many files open', next: 'Close other programs' },
};

/** An error of the file system in words: which file, what was found, what to do. */
export class FileError extends StackError {
  readonly code: string;
  /** The file that the error is about, where the system names it. */
  readonly path: string | undefined;
  /** What was found, without the file. */
  readonly found: string;
  readonly next: string;

  constructor(doing: string, code: string, cause: unknown) {
    const { found, next } = MEANINGS[code] ?? { found: 'the system refused', next: 'Look at that file' };
    super(`${doing}: ${found} (${code}). ${next}.`, { cause });
    this.code = code;
    this.path = cause instanceof Error && 'path' in cause ? String(cause.path) : undefined;
    this.found = found;
    this.next = next;
  }
}

/** An error of the file system in words; other errors as they are. `doing` names the file. */
export function asFileError(error: unknown, doing: string): unknown {
  if (error instanceof FileError || !(error instanceof Error)) return error;
  const isOfSystem = 'syscall' in error && 'code' in error && typeof error.code === 'string';
  return isOfSystem ? new FileError(doing, String(error.code), error) : error;
}

/**
 * Creates a folder and its missing parents. Node's own recursive call never ends under a folder such as /proc, where a
 * name can neither be found nor created.
 * @throws FileError
 */
export function makeFolder(path: string, mode?: number): void {
  try {
    makeWithParents(path, mode);
  } catch (error) {
    throw asFileError(error, `creating the folder ${path}`);
  }
}

function makeWithParents(path: string, mode?: number): void {
  if (isFolder(path)) return;
  if (dirname(path) !== path) makeWithParents(dirname(path));
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    // Another process may have created it meanwhile.
    if (!isFolder(path)) throw obstacleAt(path) ?? error;
  }
}

/** The error of what has the folder's name: a file, or a broken link; undefined where nothing has it. */
function obstacleAt(path: string): Error | undefined {
  if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return undefined;
  try {
    readdirSync(path);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : undefined;
  }
}

function isFolder(path: string): boolean {
  return existsSync(path) && statSync(path).isDirectory();
}

/**
 * Creates the home where it is missing, and checks that it can be written.
 * @throws StackError naming R1_HOME, what was found and what to do.
 */
export function prepareHome(home: string): void {
  const probe = join(home, `.probe.${process.pid}`);
  try {
    makeFolder(home);
    writeFileSync(probe, 'x');
  } catch (error) {
    const known = asFileError(error, `writing in ${home}`);
    if (!(known instanceof FileError)) throw error;
    const at = known.path === undefined || known.path === probe ? home : known.path;
    throw new StackError(
      `R1_HOME=${home}: expected a folder that this user can write to, found at ${at}: ${known.found} (${known.code}). ` +
        `${known.next}, or set R1_HOME to another folder.`,
      { cause: error },
    );
  } finally {
    rmQuietly(probe);
  }
}

function rmQuietly(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // It was never created.
  }
}

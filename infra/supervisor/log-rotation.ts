import { copyFileSync, existsSync, readdirSync, renameSync, rmSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { asFileError, FileError } from '../machine/file-errors.ts';

const LARGEST_BYTES = 8 * 2 ** 20;
const KEPT = 3;

/**
 * Rotates every log of a folder that has grown too large: `a.log` → `a.log.1` → … → `a.log.3`.
 * A server keeps its log open in append mode, and outlives its supervisor. The log is therefore copied and truncated, not
 * renamed; lines written between the two are lost. Where there is no free space for the copy, the log stays as it is
 * until the next rotation. Returns the errors.
 */
export function rotateLogs(folder: string, largestBytes = LARGEST_BYTES): FileError[] {
  const logs = attempt(folder, () => readdirSync(folder).filter((name) => name.endsWith('.log')));
  if (logs instanceof FileError) return [logs];
  const results = logs.map((name) => {
    const path = join(folder, name);
    return attempt(path, () => void (statSync(path).size > largestBytes && rotate(path)));
  });
  return results.filter((result) => result instanceof FileError);
}

function rotate(path: string): void {
  const copy = `${path}.new`;
  try {
    copyFileSync(path, copy);
  } catch (error) {
    rmSync(copy, { force: true });
    throw error;
  }
  for (let age = KEPT - 1; age >= 1; age--) {
    if (existsSync(`${path}.${age}`)) renameSync(`${path}.${age}`, `${path}.${age + 1}`);
  }
  renameSync(copy, `${path}.1`);
  truncateSync(path);
}

function attempt<Result>(path: string, action: () => Result): Result | FileError {
  try {
    return action();
  } catch (error) {
    const known = asFileError(error, `rotating ${path}`);
    if (known instanceof FileError) return known;
    throw error;
  }
}

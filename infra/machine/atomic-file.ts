import { chmodSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { StackError } from '../errors.ts';
import { asFileError } from './file-errors.ts';

/**
 * Writes a file atomically: a reader sees the old content or the new, never a part.
 * @throws FileError; the old content is then unchanged.
 */
export function writeAtomically(path: string, content: string, mode = 0o644): void {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    writeFileSync(temporary, content, { mode });
    chmodSync(temporary, mode);
    renameSync(temporary, path);
  } catch (error) {
    removeQuietly(temporary);
    throw asFileError(error, `writing ${path}`);
  }
}

function removeQuietly(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // The first error is the one to report.
  }
}

/**
 * Reads a JSON document by its schema; undefined where there is none.
 * @throws StackError when the file has other content; `remedy` says what to do then.
 */
export function readJson<Schema extends z.ZodType>(
  path: string,
  schema: Schema,
  remedy: string,
): z.output<Schema> | undefined {
  const content = readIfThere(path);
  if (content === undefined) return undefined;
  const json = jsonOrUndefined(content);
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const found =
    json === undefined ? 'something that is not JSON' : `another\n${z.prettifyError(parsed.error)}\n`;
  throw new StackError(`${path}: expected a document of this version, found ${found}. ${remedy}`);
}

/** The same for an optional file: undefined also where the file has other content. */
export function readJsonIfWhole<Schema extends z.ZodType>(
  path: string,
  schema: Schema,
): z.output<Schema> | undefined {
  const parsed = schema.safeParse(jsonOrUndefined(readIfThere(path) ?? ''));
  return parsed.success ? parsed.data : undefined;
}

function jsonOrUndefined(content: string): unknown {
  try {
    return JSON.parse(content);
  } catch {
    return undefined;
  }
}

/**
 * A file's text, or undefined where there is no such file.
 * @throws FileError where it exists and cannot be read.
 */
export function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT') || isErrno(error, 'ENOTDIR')) return undefined;
    throw asFileError(error, `reading ${path}`);
  }
}

export function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

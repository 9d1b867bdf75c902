import { chmodSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { z } from 'zod';
import { messageOf, StackError } from './errors.ts';

/** Writes a file so that a reader sees the old content or the new, never a part. */
export function writeAtomically(path: string, content: string, mode = 0o644): void {
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, content, { mode });
  chmodSync(temporary, mode);
  renameSync(temporary, path);
}

/**
 * Reads a JSON document by its schema; undefined where there is none.
 * @throws StackError when the file is there but does not hold what it should.
 */
export function readJson<Schema extends z.ZodType>(
  path: string,
  schema: Schema,
): z.output<Schema> | undefined {
  const content = readIfThere(path);
  if (content === undefined) return undefined;
  try {
    return schema.parse(JSON.parse(content));
  } catch (error) {
    throw new StackError(
      `${path}: expected a document of this version, found another: ${messageOf(error)}\n` +
        'Stop the stack that wrote it (r1 down, with that version), then remove the file.',
    );
  }
}

/** A file's text, or undefined where there is no such file. */
export function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

export function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

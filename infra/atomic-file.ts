import { chmodSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { StackError } from './errors.ts';

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
  const parsed = schema.safeParse(jsonOrUndefined(content));
  if (parsed.success) return parsed.data;
  throw new StackError(
    `${path}: expected a document of this version, found another:\n${z.prettifyError(parsed.error)}\n` +
      'Stop the stack that wrote it (r1 down, with that version), then remove the file.',
  );
}

function jsonOrUndefined(content: string): unknown {
  try {
    return JSON.parse(content);
  } catch {
    return undefined;
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

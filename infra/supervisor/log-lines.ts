import { writeSync } from 'node:fs';

/**
 * Writes one line to a file descriptor, or drops it: on a full disk a log loses lines, and the process continues. Node's
 * own streams would end the process, or write nothing more once there is free space.
 */
export function writeLine(descriptor: number, line: string): void {
  try {
    writeSync(descriptor, `${line}\n`);
  } catch {
    // The line is lost.
  }
}

/** Lets this process continue when its standard output or error cannot be written. */
export function ignoreOutputErrors(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
}

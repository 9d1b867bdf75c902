import { writeSync } from 'node:fs';

/**
 * Writes one line to a file descriptor, or not at all: on a full disk a log loses lines, and nothing ends for want of
 * them. Node's own streams end the process instead, and write nothing more once there is room.
 */
export function writeLine(descriptor: number, line: string): void {
  try {
    writeSync(descriptor, `${line}\n`);
  } catch {
    // The line is lost.
  }
}

/** Has this process live on when its standard output or error cannot be written, whoever writes there. */
export function outliveLostOutput(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
}

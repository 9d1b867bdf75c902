import { copyFileSync, existsSync, readdirSync, renameSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';

const LARGEST_BYTES = 8 * 2 ** 20;
const KEPT = 3;

/**
 * Rotates every log of a folder that has grown too large: `a.log` → `a.log.1` → … → `a.log.3`.
 * A server holds its log open, in append mode, and outlives its supervisor: so the log is copied and cut,
 * not renamed; lines written between the two are lost.
 */
export function rotateLogs(folder: string, largestBytes = LARGEST_BYTES): void {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (name.endsWith('.log') && statSync(path).size > largestBytes) rotate(path);
  }
}

function rotate(path: string): void {
  for (let age = KEPT - 1; age >= 1; age--) {
    if (existsSync(`${path}.${age}`)) renameSync(`${path}.${age}`, `${path}.${age + 1}`);
  }
  copyFileSync(path, `${path}.1`);
  truncateSync(path);
}

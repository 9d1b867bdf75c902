import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const root = join(import.meta.dirname, '..', '..');
const run = promisify(execFile);

/** Runs `r1` as a user does, on a separate stack under `home`; returns its output. */
export async function r1(home: string, ...args: string[]): Promise<string> {
  const env = { ...process.env, R1_HOME: home };
  const options = { cwd: root, env, maxBuffer: 1 << 28 };
  return (await run(process.execPath, [join(root, 'cli', 'r1.mjs'), ...args], options)).stdout;
}

/** The document that a command prints with `--json`. */
export async function r1Json<T>(home: string, ...args: string[]): Promise<T> {
  return JSON.parse(await r1(home, ...args, '--json')) as T;
}

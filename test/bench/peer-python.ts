import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * A Python with these packages, in a virtual environment in the temporary folder, which is created once. Throws where
 * they cannot be installed.
 */
export function peerPython(name: string, packages: readonly string[]): string {
  const folder = join(tmpdir(), `durable-r1-peer-${name}`);
  const python = join(folder, 'bin', 'python');
  const isMade = join(folder, 'made');
  if (existsSync(isMade)) return python;
  console.error(`installing ${packages.join(', ')} into ${folder} …`);
  execFileSync('python3', ['-m', 'venv', folder]);
  execFileSync(python, ['-m', 'pip', 'install', '-q', ...packages], { stdio: ['ignore', 'ignore', 'pipe'] });
  writeFileSync(isMade, '');
  return python;
}

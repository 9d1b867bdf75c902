/**
 * The supervisor as a process of its own: `node --import tsx infra/supervisor-main.ts`, started by `startStack`.
 * Its standard output is its log. Exit codes: 0 stopped as told, 1 the start failed, 75 another one runs.
 */
import { mkdirSync } from 'node:fs';
import { messageOf } from './errors.ts';
import { dropLock, takeLock } from './lock-file.ts';
import { homePaths } from './paths.ts';
import { environmentFor, readSettings } from './settings.ts';
import { readState } from './state.ts';
import { Supervisor } from './supervisor.ts';
import { ANOTHER_RUNS } from './supervisor-launch.ts';

const log = (line: string) => process.stdout.write(`${new Date().toISOString()} ${line}\n`);

async function main(): Promise<number> {
  const settings = readSettings();
  const paths = homePaths(settings.home);
  mkdirSync(paths.home, { recursive: true });
  if (!takeLock(paths.lock).taken) return ANOTHER_RUNS;
  try {
    const supervisor = new Supervisor({ settings, paths, environment: environmentFor(settings), log });
    for (const name of ['SIGTERM', 'SIGINT'] as const) process.on(name, () => void supervisor.stop());
    await supervisor.run();
    return readState(paths.state)?.phase === 'failed' ? 1 : 0;
  } finally {
    dropLock(paths.lock);
  }
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    log(messageOf(error));
    process.exit(1);
  },
);

/**
 * The supervisor as a separate process: `node --import tsx infra/supervisor/supervisor-main.ts`, started by `startStack`.
 * Its standard output is its log. Exit codes: 0 stopped by a signal, 1 the start failed, 75 another one runs.
 */
import { messageOf } from '../errors.ts';
import { prepareHome } from '../machine/file-errors.ts';
import { dropLock, takeLock } from '../machine/lock-file.ts';
import { homePaths } from '../paths.ts';
import { environmentFor, readSettings } from '../settings.ts';
import { ignoreOutputErrors, writeLine } from './log-lines.ts';
import { Supervisor } from './supervisor.ts';
import { ANOTHER_RUNS } from './supervisor-launch.ts';

ignoreOutputErrors();
const log = (line: string) => writeLine(process.stdout.fd, `${new Date().toISOString()} ${line}`);

async function main(): Promise<number> {
  const settings = readSettings();
  const paths = homePaths(settings.home);
  prepareHome(paths.home);
  if (!takeLock(paths.lock).taken) return ANOTHER_RUNS;
  try {
    const supervisor = new Supervisor({ settings, paths, environment: environmentFor(settings), log });
    for (const name of ['SIGTERM', 'SIGINT'] as const) process.on(name, () => void supervisor.stop());
    return (await supervisor.run()) === 'failed' ? 1 : 0;
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

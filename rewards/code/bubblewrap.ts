import { BOX, type SandboxedCommand } from './sandboxed-command.ts';

/** File descriptors that bubblewrap and the command inherit. */
export const FD = { result: 3, status: 4, block: 5, filter: 6, firstFile: 7 } as const;

/** The part of the machine that is visible inside the sandbox, and what bounds memory. */
export interface View {
  /** folders and files mounted read-only at their own paths */
  readOnly: readonly string[];
  /** symbolic links at the root: name → target */
  links: ReadonlyMap<string, string>;
  /** absolute path of prlimit(1) inside the sandbox */
  prlimit: string;
  /** whether a control group bounds memory; otherwise a resource limit does */
  memoryByCgroup: boolean;
}

/**
 * Arguments of bwrap(1). The new root contains only what is named here. Only two small file systems in memory are
 * writable. There is no network, no other process is visible, and the only user has no rights.
 */
export function bubblewrapArguments(command: SandboxedCommand, view: View): string[] {
  return [
    ...ISOLATION,
    ...ENVIRONMENT.flatMap(([name, value]) => ['--setenv', name, value]),
    ...view.readOnly.flatMap((path) => ['--ro-bind-try', path, path]),
    ...[...view.links].flatMap(([name, target]) => ['--symlink', target, `/${name}`]),
    ...fileSystems(command.limits.fileBytes),
    ...command.files.flatMap(fileArguments),
    ...['--remount-ro', '/', '--chdir', '/tmp', '--seccomp', String(FD.filter)],
    ...['--json-status-fd', String(FD.status), '--block-fd', String(FD.block), '--'],
    ...[
      view.prlimit,
      ...resourceLimits(command, view.memoryByCgroup),
      '--',
      ...FIRST_PROCESS,
      ...command.argv,
    ],
  ];
}

const ISOLATION = [
  // Separate user, pid, network, ipc, uts and cgroup namespaces, and no further user namespace inside.
  ...['--unshare-all', '--unshare-user', '--disable-userns'],
  ...['--uid', '1000', '--gid', '1000', '--hostname', 'sandbox', '--cap-drop', 'ALL'],
  ...['--die-with-parent', '--as-pid-1', '--new-session', '--clearenv'],
];

/**
 * The sandbox's first process, instead of bubblewrap's own. Bubblewrap waits for it until it has ended. Thus no
 * zombie is left to this machine's init process, which may not reap any in a container.
 */
const FIRST_PROCESS = ['/bin/sh', '-c', '"$@"; exit $?', 'sh'];

/** The hash seed is fixed: the order of a set must be the same in each run. */
const ENVIRONMENT = [
  ['PATH', '/usr/local/bin:/usr/bin:/bin'],
  ['HOME', '/tmp'],
  ['LANG', 'C.UTF-8'],
  ['PYTHONHASHSEED', '0'],
  ['PYTHONIOENCODING', 'utf-8'],
] as const;

/**
 * `--dev` creates /dev in memory without a size limit, so it is remounted read-only, and /dev/shm gets a size limit.
 * /proc is read-only too, since a process could lower the session's priority there.
 */
function fileSystems(bytes: number): string[] {
  const size = ['--size', String(bytes)];
  return [
    ...['--proc', '/proc', '--remount-ro', '/proc'],
    ...['--dev', '/dev', ...size, '--tmpfs', '/dev/shm', '--remount-ro', '/dev'],
    ...[...size, '--tmpfs', '/tmp', '--dir', BOX],
  ];
}

function fileArguments({ name, executable }: SandboxedCommand['files'][number], index: number): string[] {
  const mode = executable ? '0555' : '0444';
  return ['--perms', mode, '--ro-bind-data', String(FD.firstFile + index), `${BOX}/${name}`];
}

/** Arguments of prlimit(1), which runs inside: the kernel then counts processes per user namespace of the sandbox. */
function resourceLimits(command: SandboxedCommand, memoryByCgroup: boolean): string[] {
  const { limits, memoryRlimit, stackBytes } = command;
  const cpu = Math.ceil(limits.cpuSeconds);
  const bounds: Record<string, string> = {
    // One second between SIGXCPU, which can be caught, and SIGKILL.
    cpu: `${cpu}:${cpu + 1}`,
    fsize: String(limits.fileBytes),
    nproc: String(limits.processes + 1),
    nofile: '256',
    core: '0',
    stack: String(stackBytes),
    ...(memoryByCgroup ? {} : { [memoryRlimit]: String(limits.memoryBytes) }),
  };
  return Object.entries(bounds).map(([name, value]) => `--${name}=${value}`);
}

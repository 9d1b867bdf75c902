import { BOX, type SandboxedCommand } from './sandboxed-command.ts';

/** Descriptors that bubblewrap and the command inherit. */
export const FD = { result: 3, status: 4, block: 5, filter: 6, firstFile: 7 } as const;

/** What of the machine is seen inside, and how it is bounded. */
export interface View {
  /** folders and files shown read-only at their own places */
  readOnly: readonly string[];
  /** symbolic links at the root: name → target */
  links: ReadonlyMap<string, string>;
  /** absolute path of prlimit(1) inside */
  prlimit: string;
  /** whether a control group bounds memory, so that address space need not */
  memoryByCgroup: boolean;
}

/**
 * Arguments of bwrap(1). The new root is empty but for what is named here; what is written lies in two small
 * file systems in memory; no network, no other process, no user but one without rights is to be seen.
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
  // Own user, pid, network, ipc, uts and cgroup spaces, and no further user space inside.
  ...['--unshare-all', '--unshare-user', '--disable-userns'],
  ...['--uid', '1000', '--gid', '1000', '--hostname', 'sandbox', '--cap-drop', 'ALL'],
  ...['--die-with-parent', '--as-pid-1', '--new-session', '--clearenv'],
];

/**
 * The sandbox's first process, in place of bubblewrap's own: bubblewrap waits for it to its very end, so that
 * no zombie is handed to this machine's first process, which in a container may reap none.
 */
const FIRST_PROCESS = ['/bin/sh', '-c', '"$@"; exit $?', 'sh'];

/** A fixed hash seed: the order of a set must not differ from run to run. */
const ENVIRONMENT = [
  ['PATH', '/usr/local/bin:/usr/bin:/bin'],
  ['HOME', '/tmp'],
  ['LANG', 'C.UTF-8'],
  ['PYTHONHASHSEED', '0'],
  ['PYTHONIOENCODING', 'utf-8'],
] as const;

/**
 * `--dev` makes /dev in memory without a size: it becomes read-only, and /dev/shm gets its own size. /proc is
 * read-only too, since a session's priority can be lowered there.
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

/** prlimit(1), set inside: the kernel then counts processes within the sandbox's own user space. */
function resourceLimits(command: SandboxedCommand, memoryByCgroup: boolean): string[] {
  const { limits, memoryRlimit, stackBytes } = command;
  const cpu = Math.ceil(limits.cpuSeconds);
  const bounds: Record<string, string> = {
    // One second from the signal that can be caught to the one that can't.
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

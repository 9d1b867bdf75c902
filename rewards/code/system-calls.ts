/**
 * The system call filter for every process in the sandbox, for bubblewrap's `--seccomp`: a classic BPF program over
 * `struct seccomp_data`; see seccomp(2) and linux/bpf_common.h.
 */
import { endianness } from 'node:os';
import { SandboxError } from './sandbox-error.ts';

/** Error numbers that refused calls return; the same on every Linux machine. */
const EPERM = 1;
const ENOSYS = 38;
const EAFNOSUPPORT = 97;

/** The numbers of a call on x86-64 and on arm64; null where the machine does not have the call. */
type Numbers = readonly [x64: number | null, arm64: number | null];

/**
 * Calls that fail with EPERM. The other calls are what Python, Node and g++ need to run programs: files, memory,
 * threads, processes, signals, pipes, time.
 */
const DENIED: Readonly<Record<string, Numbers>> = {
  // Another process's memory, registers or descriptors: a tracer could stop the sandbox's first process.
  ptrace: [101, 117],
  process_vm_readv: [310, 270],
  process_vm_writev: [311, 271],
  process_madvise: [440, 440],
  process_mrelease: [448, 448],
  pidfd_getfd: [438, 438],
  kcmp: [312, 272],
  // Kernel keyrings belong to a user, not to a sandbox.
  add_key: [248, 217],
  request_key: [249, 218],
  keyctl: [250, 219],
  // Large parts of the kernel that tested programs do not need.
  bpf: [321, 280],
  userfaultfd: [323, 282],
  perf_event_open: [298, 241],
  seccomp: [317, 277],
  fanotify_init: [300, 262],
  fanotify_mark: [301, 263],
  // io_uring opens sockets and files without passing this filter.
  io_uring_setup: [425, 425],
  io_uring_enter: [426, 426],
  io_uring_register: [427, 427],
  // Namespaces and mounts; `clone` is filtered by its flags.
  unshare: [272, 97],
  setns: [308, 268],
  mount: [165, 40],
  umount2: [166, 39],
  pivot_root: [155, 41],
  chroot: [161, 51],
  open_tree: [428, 428],
  move_mount: [429, 429],
  fsopen: [430, 430],
  fsconfig: [431, 431],
  fsmount: [432, 432],
  fspick: [433, 433],
  mount_setattr: [442, 442],
  quotactl: [179, 60],
  quotactl_fd: [443, 443],
  name_to_handle_at: [303, 264],
  open_by_handle_at: [304, 265],
  // The machine's own state.
  acct: [163, 89],
  swapon: [167, 224],
  swapoff: [168, 225],
  reboot: [169, 142],
  kexec_load: [246, 104],
  kexec_file_load: [320, 294],
  init_module: [175, 105],
  finit_module: [313, 273],
  delete_module: [176, 106],
  sethostname: [170, 161],
  setdomainname: [171, 162],
  syslog: [103, 116],
  settimeofday: [164, 170],
  clock_settime: [227, 112],
  adjtimex: [159, 171],
  clock_adjtime: [305, 266],
  vhangup: [153, 58],
  iopl: [172, null],
  ioperm: [173, null],
  modify_ldt: [154, null],
  personality: [135, 92],
  // A program with a low priority would look like one on a busy machine.
  setpriority: [141, 140],
  ioprio_set: [251, 30],
  sched_setparam: [142, 118],
  sched_setscheduler: [144, 119],
  sched_setattr: [314, 274],
  // Memory that no resource limit counts, and the placement of memory.
  shmget: [29, 194],
  memfd_secret: [447, 447],
  mbind: [237, 235],
  set_mempolicy: [238, 237],
  get_mempolicy: [239, 236],
  set_mempolicy_home_node: [450, 450],
  migrate_pages: [256, 238],
  move_pages: [279, 239],
};

/** The last call that this list covers (`futex_requeue`, Linux 6.7). Later calls fail with ENOSYS. */
const LAST_CALL = 456;

/** The only allowed family of sockets: between processes of the sandbox. */
const AF_UNIX = 1;

/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET; NEWTIME exists only for clone3. */
const NEW_NAMESPACES = 0x7e02_0000;

interface Machine {
  /** AUDIT_ARCH_… of linux/audit.h */
  audit: number;
  socket: number;
  socketpair: number;
  clone: number;
  column: 0 | 1;
}

const CLONE3 = 435;
/** Machines with known system calls. */
export const MACHINES = {
  x64: { audit: 0xc000_003e, socket: 41, socketpair: 53, clone: 56, column: 0 },
  arm64: { audit: 0xc000_00b7, socket: 198, socketpair: 199, clone: 220, column: 1 },
} as const satisfies Partial<Record<NodeJS.Architecture, Machine>>;

interface Instruction {
  code: number;
  value: number;
  /** instructions to skip where a condition holds, and where not */
  ifTrue?: number;
  ifFalse?: number;
}

/** Offsets in `struct seccomp_data`; of an argument, its lower half on a little-endian machine. */
const NUMBER = 0;
const ARCHITECTURE = 4;
const FIRST_ARGUMENT = 16;

const load = (offset: number): Instruction => ({ code: 0x20, value: offset });
const fail = (errno: number): Instruction => ({ code: 0x06, value: 0x0005_0000 | errno });
const allow: Instruction = { code: 0x06, value: 0x7fff_0000 };
const skipUnless = (test: 'equal' | 'above' | 'anyBit', value: number, skipped: number): Instruction => ({
  code: { equal: 0x15, above: 0x25, anyBit: 0x45 }[test],
  value,
  ifFalse: skipped,
});

/**
 * The filter for a machine. Calls of its other architectures (32-bit x86, x32, 32-bit ARM) fail with ENOSYS. Throws
 * a `SandboxError` for a machine with unknown system calls.
 */
export function systemCallFilter(architecture: NodeJS.Architecture = process.arch): Buffer {
  const machine = (MACHINES as Partial<Record<NodeJS.Architecture, Machine>>)[architecture];
  if (machine === undefined || endianness() !== 'LE')
    throw new SandboxError(
      'sandbox-missing',
      `expected a machine whose system calls can be filtered (${Object.keys(MACHINES).join(' or ')}), found ${architecture}`,
    );
  return assembled([
    load(ARCHITECTURE),
    ...[{ ...skipUnless('equal', machine.audit, 0), ifTrue: 1 }, fail(ENOSYS)],
    load(NUMBER),
    // Calls of x32 have bit 30 set, so their numbers are above this too.
    ...[skipUnless('above', LAST_CALL, 1), fail(ENOSYS)],
    // The flags of clone3 are in memory, which a filter cannot read. On ENOSYS, C libraries use `clone`.
    ...[skipUnless('equal', CLONE3, 1), fail(ENOSYS)],
    ...[machine.socket, machine.socketpair].flatMap((call) => [
      ...[skipUnless('equal', call, 4), load(FIRST_ARGUMENT)],
      ...[skipUnless('equal', AF_UNIX, 1), allow, fail(EAFNOSUPPORT)],
    ]),
    ...[skipUnless('equal', machine.clone, 4), load(FIRST_ARGUMENT)],
    ...[skipUnless('anyBit', NEW_NAMESPACES, 1), fail(EPERM), allow],
    ...[...deniedCalls(machine).values()].flatMap((call) => [skipUnless('equal', call, 1), fail(EPERM)]),
    allow,
  ]);
}

/** Number of each call that fails with EPERM, by its name. */
export function deniedCalls({ column }: Pick<Machine, 'column'>): Map<string, number> {
  const entries = Object.entries(DENIED).map(([name, numbers]) => [name, numbers[column]] as const);
  return new Map(entries.filter((entry): entry is [string, number] => entry[1] !== null));
}

/** `struct sock_filter`: code (16 bits), jt, jf (8 bits each), k (32 bits). */
function assembled(instructions: readonly Instruction[]): Buffer {
  const bytes = Buffer.alloc(8 * instructions.length);
  instructions.forEach(({ code, value, ifTrue = 0, ifFalse = 0 }, index) => {
    bytes.writeUInt16LE(code, 8 * index);
    bytes.writeUInt8(ifTrue, 8 * index + 2);
    bytes.writeUInt8(ifFalse, 8 * index + 3);
    bytes.writeUInt32LE(value, 8 * index + 4);
  });
  return bytes;
}

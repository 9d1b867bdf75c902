import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type CodeTask, type CodeVerdict, type Sandbox, verifyCode } from '../../rewards/code/index.ts';
import { eventually, leftCgroups, sandboxedProcesses, sandboxOf, whySkip } from './code/support.ts';

const MEBIBYTE = 2 ** 20;
const sandboxes: Record<string, Sandbox> = {
  'control groups': sandboxOf(),
  'resource limits alone': sandboxOf({ cgroups: 'off' }),
};
const [bounded] = Object.values(sandboxes) as [Sandbox];
const skip = await whySkip(bounded);

/** A generous wall limit, so a busy machine changes nothing; tight limits on what the program itself uses. */
const TIGHT = {
  cpuSeconds: 0.5,
  wallSeconds: 120,
  memoryBytes: 128 * MEBIBYTE,
  processes: 16,
  outputBytes: MEBIBYTE,
  fileBytes: 4 * MEBIBYTE,
};

/** Runs one hostile program; only the output `expected` is right. */
function attack(
  source: string,
  more: Partial<CodeTask> & { expected?: string } = {},
  sandbox: Sandbox = bounded,
): Promise<CodeVerdict> {
  const { expected = 'contained', ...task } = more;
  const tests = [{ type: 'stdin_stdout' as const, input: '', output: expected }];
  return verifyCode(
    {
      language: 'python',
      source,
      tests,
      mode: 'all-or-nothing',
      limits: { run: TIGHT, compile: TIGHT },
      ...task,
    },
    sandbox,
  );
}

function kindOf(verdict: CodeVerdict): string {
  return 'error' in verdict
    ? `error ${verdict.error.kind}: ${verdict.error.message}`
    : (verdict.tests[0]?.kind ?? '');
}

const python = (...lines: string[]) => `${lines.join('\n')}\n`;

afterEach(async () => {
  if (skip !== false) return;
  assert.ok(await eventually(() => sandboxedProcesses().length === 0), 'no process is left behind');
  assert.deepEqual(leftCgroups(), [], 'no control group is left behind');
});

for (const [bounds, sandbox] of Object.entries(sandboxes)) {
  test(`a fork bomb uses up only its own CPU time, under ${bounds}`, { skip }, async () => {
    const source = python('import os', 'while True:', '  try: os.fork()', '  except OSError: pass');
    assert.equal(kindOf(await attack(source, {}, sandbox)), 'time-limit');
  });

  test(`a memory bomb reaches its limit, under ${bounds}`, { skip }, async () => {
    const source = python('hoard = []', 'while True: hoard.append(bytearray(1 << 20))');
    assert.equal(kindOf(await attack(source, {}, sandbox)), 'memory-limit');
  });

  test(`a program without memory for its heap is distinguished from one that crashes, under ${bounds}`, {
    skip,
  }, async () => {
    const source = 'const hoard = []; for (;;) hoard.push(Buffer.alloc(1 << 20, 1));';
    const limits = { run: { ...TIGHT, cpuSeconds: 10, memoryBytes: 256 * MEBIBYTE } };
    assert.equal(kindOf(await attack(source, { language: 'javascript', limits }, sandbox)), 'memory-limit');
  });

  test(`a program that catches the CPU signal is ended too, under ${bounds}`, {
    skip,
  }, async () => {
    const source = python(
      'import signal',
      'signal.signal(signal.SIGXCPU, signal.SIG_IGN)',
      'while True: pass',
    );
    assert.equal(kindOf(await attack(source, {}, sandbox)), 'time-limit');
  });

  test(`CPU time is counted over all processes, under ${bounds}`, { skip }, async () => {
    const source = python('import os', 'for _ in range(3): os.fork()', 'while True: pass');
    assert.equal(
      kindOf(await attack(source, { limits: { run: { ...TIGHT, cpuSeconds: 1 } } }, sandbox)),
      'time-limit',
    );
  });
}

test('files in memory count as memory', { skip: skip || noCgroup(await bounded.report()) }, async () => {
  const source = python(
    'for i in range(64):',
    '  with open(f"/tmp/{i}", "wb") as file: file.write(b"x" * (1 << 20))',
    'print("escaped")',
  );
  const limits = { run: { ...TIGHT, memoryBytes: 32 * MEBIBYTE, fileBytes: 1024 * MEBIBYTE } };
  assert.equal(kindOf(await attack(source, { limits })), 'memory-limit');
});

function noCgroup({ noCgroup }: { noCgroup: string | null }): string | false {
  return noCgroup === null ? false : `needs a control group: ${noCgroup}`;
}

for (const [stream, fd] of Object.entries({
  'standard output': 1,
  'standard error': 2,
  'the result channel': 3,
})) {
  test(`endless writing to ${stream} is cut`, { skip }, async () => {
    const source = python('import os', `while True: os.write(${fd}, b"x" * 65536)`);
    const limits = { run: { ...TIGHT, cpuSeconds: 20 } };
    assert.equal(kindOf(await attack(source, { limits })), 'output-limit');
  });
}

test('no other process can be read', { skip }, async () => {
  const secret = `secret-${process.pid}`;
  const other = spawn('sleep', ['600'], { env: { PATH: '/usr/bin:/bin', SECRET: secret } });
  try {
    const source = python(
      'import glob',
      'seen = b""',
      'for path in glob.glob("/proc/[0-9]*/environ") + glob.glob("/proc/[0-9]*/cmdline"):',
      '  try: seen += open(path, "rb").read()',
      '  except OSError: pass',
      `others = b"sleep" in seen or b"${secret}" in seen or b"R1_" in seen`,
      'print("escaped" if others or len(glob.glob("/proc/[0-9]*")) > 3 else "contained")',
    );
    assert.equal(kindOf(await attack(source)), 'passed');
  } finally {
    other.kill('SIGKILL');
  }
});

test('there is no network, not even to servers of this machine', { skip }, async () => {
  let connections = 0;
  const server = createServer(() => {
    connections += 1;
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  const source = python(
    'import socket',
    'reached = []',
    'try: reached += [name for _, name in socket.if_nameindex() if name != "lo"]',
    'except OSError: pass',
    `try: reached.append(socket.create_connection(("127.0.0.1", ${port}), 5))`,
    'except OSError: pass',
    'print("escaped" if reached else "contained")',
  );
  assert.equal(kindOf(await attack(source)), 'passed');
  server.close();
  assert.equal(connections, 0);
});

test('nothing can be written outside the small folders in memory', { skip }, async () => {
  const outside = mkdtempSync(join(tmpdir(), 'r1-hostile-'));
  const source = python(
    'import os',
    'written = []',
    `for path in ["/x", "/box/x", "/box/main.py", "/usr/x", "/etc/x", "/dev/x", "${outside}/x", "/proc/sys/kernel/hostname"]:`,
    '  try:',
    '    with open(path, "w") as file: file.write("x")',
    '    written.append(path)',
    '  except OSError: pass',
    'print(written or "contained")',
  );
  assert.equal(kindOf(await attack(source)), 'passed');
  assert.equal(existsSync(join(outside, 'x')), false);
});

test('a symbolic link cannot lead out of the sandbox', { skip }, async () => {
  const secret = join(mkdtempSync(join(tmpdir(), 'r1-hostile-')), 'secret');
  writeFileSync(secret, 'secret', { mode: 0o644 });
  const source = python(
    'import os',
    'found = []',
    `for number, root in enumerate(["", "/proc/1/root", "/proc/self/root", "/proc/1/cwd/../../..", "/tmp/../../../..", "/dev/fd/0/.."]):`,
    '  link = f"/tmp/link{number}"',
    `  os.symlink(root + "${secret}", link)`,
    '  try: found.append(open(link).read())',
    '  except OSError: pass',
    'print(found or "contained")',
  );
  assert.equal(kindOf(await attack(source)), 'passed');
  assert.equal(readFileSync(secret, 'utf8'), 'secret');
});

/** Programs that use almost no CPU time and never end. */
const SLEEPERS = {
  'a program that sleeps': ['import time', 'time.sleep(10 ** 8)'],
  'fifty threads that sleep': [
    'import threading, time',
    'for _ in range(50): threading.Thread(target=time.sleep, args=(10 ** 8,)).start()',
  ],
  'fifty threads that wake and sleep': [
    'import threading, time',
    'def doze():',
    '  while True: time.sleep(0.05)',
    'for _ in range(50): threading.Thread(target=doze).start()',
  ],
  'fifty processes that wake and sleep': [
    'import os, time',
    'for _ in range(50):',
    '  if os.fork() == 0: break',
    'while True: time.sleep(0.05)',
  ],
  'a program that waits for itself': [
    'import threading',
    'lock = threading.Lock()',
    'lock.acquire()',
    'lock.acquire()',
  ],
  'a program that stops itself': ['import os, signal', 'os.kill(os.getpid(), signal.SIGSTOP)'],
  'a program that reads what nobody writes': ['import os', 'os.read(os.pipe()[0], 1)'],
  'a program that leaves the first process a child to wait for': [
    'import os, signal, time',
    'if os.fork() == 0: time.sleep(10 ** 8)',
    'os.kill(os.getpid(), signal.SIGSTOP)',
  ],
};
for (const [bounds, sandbox] of Object.entries(sandboxes)) {
  for (const [what, lines] of Object.entries(SLEEPERS)) {
    test(`${what} is ended at its wall limit, under ${bounds}`, { skip }, async () => {
      const limits = { run: { ...TIGHT, cpuSeconds: 1.5, wallSeconds: 3, processes: 64 } };
      assert.equal(kindOf(await attack(python(...lines), { limits }, sandbox)), 'time-limit');
    });
  }
}

test('a program that sleeps in every test is stopped after a few tests', { skip }, async () => {
  const tests = Array.from({ length: 6 }, () => ({ type: 'stdin_stdout' as const, input: '', output: '' }));
  const limits = { run: { ...TIGHT, cpuSeconds: 0.5, wallSeconds: 1 } };
  const verdict = await attack(python('import time', 'time.sleep(10 ** 8)'), {
    mode: 'pass-rate',
    limits,
    tests,
  });
  assert.ok('tests' in verdict);
  const kinds = verdict.tests.map(({ kind }) => kind);
  assert.deepEqual(kinds, [...Array(3).fill('time-limit'), ...Array(3).fill('not-run')]);
});

test('the first process can be neither traced nor stopped', { skip }, async () => {
  const source = python(
    'import ctypes, os, signal',
    'libc = ctypes.CDLL(None, use_errno=True)',
    'PTRACE_ATTACH, PTRACE_SEIZE, PTRACE_INTERRUPT = 16, 0x4206, 0x4207',
    'held = [libc.ptrace(PTRACE_ATTACH, pid, 0, 0) for pid in (1, os.getppid())]',
    'held += [libc.ptrace(PTRACE_SEIZE, 1, 0, 0), libc.ptrace(PTRACE_INTERRUPT, 1, 0, 0)]',
    'for stop in (signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN): os.kill(1, stop)',
    'print("contained" if set(held) == {-1} else held)',
  );
  assert.equal(kindOf(await attack(source)), 'passed');
});

test('an abort signal ends a program that runs, and one that waits for a slot', { skip }, async () => {
  const sandbox = sandboxOf({ parallel: 1 });
  const controller = new AbortController();
  const reason = new Error('nobody waits for it');
  const command = {
    argv: ['/bin/sleep', '600'],
    files: [],
    stdin: '',
    limits: { ...TIGHT, wallSeconds: 600 },
    memoryRlimit: 'as' as const,
    stackBytes: 2 ** 23,
  };
  const runs = [0, 1, 2].map(() => assert.rejects(sandbox.run(command, controller.signal), reason));
  assert.ok(await eventually(() => sandboxedProcesses().length > 0));
  controller.abort(reason);
  await Promise.all(runs);
  assert.deepEqual(sandboxedProcesses(), []);
  await assert.rejects(sandbox.run(command, controller.signal), reason);
  const { status } = await sandbox.run({ ...command, argv: ['/bin/true'] });
  assert.equal(status, 0, 'its place is free again');
});

test('a program that kills its parents and all processes harms only itself', { skip }, async () => {
  const source = python(
    'import os, signal',
    'for pid in [os.getppid(), 1, -1]:',
    '  try: os.kill(pid, signal.SIGKILL)',
    '  except OSError: pass',
    'print("contained")',
  );
  assert.equal(kindOf(await attack(source)), 'passed');
});

test('a process left running in the background ends with its program', { skip }, async () => {
  const source = python(
    'import os, time',
    'print("contained", flush=True)',
    'if os.fork() == 0:',
    '  os.setsid()',
    '  if os.fork() == 0: time.sleep(10 ** 8)',
  );
  assert.equal(kindOf(await attack(source)), 'passed');
});

test('no further user namespace can be created', { skip }, async () => {
  const source = python(
    'import ctypes',
    'CLONE_NEWUSER = 0x10000000',
    'made = ctypes.CDLL(None).unshare(CLONE_NEWUSER) == 0',
    'print("escaped" if made else "contained")',
  );
  assert.equal(kindOf(await attack(source)), 'passed');
});

test('many files and large files fill only the sandbox’s own file systems', { skip }, async () => {
  const files = python('n = 0', 'while True:', '  open(f"/tmp/{n}", "w").close()', '  n += 1');
  assert.match(kindOf(await attack(files)), /^(time-limit|memory-limit|crashed)$/);
  const large = python(
    'size = 0',
    'try:',
    '  with open("/tmp/large", "wb", buffering=0) as file:',
    '    while True: size += file.write(b"x" * 65536)',
    'except OSError: pass',
    `print("contained" if size <= ${TIGHT.fileBytes} else size)`,
  );
  assert.equal(kindOf(await attack(large)), 'passed');
});

const HUGE_COMPILES = {
  'templates without end':
    'template <int N, int M> struct F { F<N - 1, 2 * M> a; F<N - 1, 2 * M + 1> b; };\nint main() { return sizeof(F<40, 0>); }',
  'an endless file included': '#include "/dev/zero"\nint main() {}',
  'a program of two gigabytes': 'char large[1L << 31] = {1};\nint main() { return large[5]; }',
  'an include of what is not shown': '#include "/etc/passwd"\nint main() {}',
};
for (const [what, source] of Object.entries(HUGE_COMPILES)) {
  test(`a compilation of ${what} is a compile error`, { skip }, async () => {
    const limits = {
      compile: { ...TIGHT, cpuSeconds: 1, outputBytes: 8 * MEBIBYTE, memoryBytes: 256 * MEBIBYTE },
    };
    assert.equal(kindOf(await attack(source, { language: 'cpp', limits })), 'compile-error');
  });
}

test('no process of a run is left after its end, not even a zombie', { skip }, async () => {
  for (const source of [
    'print("contained")',
    'import os\nif os.fork() == 0: os.pause()\nprint("contained")',
  ]) {
    await attack(source);
    assert.deepEqual(sandboxedProcesses(), []);
  }
});

/** Another process with a sandbox, which runs one sleeping program. */
function startHost(stdio: 'ignore' | ('ignore' | 'pipe')[], source: string) {
  const host = fileURLToPath(new URL('./code/sandbox-host.ts', import.meta.url));
  return spawn(process.execPath, ['--import', 'tsx', host, String(process.pid), source], { stdio });
}

test('a program ends when the process that started it is killed', { skip }, async () => {
  const host = startHost('ignore', python('import time', 'time.sleep(10 ** 8)'));
  assert.ok(await eventually(() => sandboxedProcesses().length > 0));
  host.kill('SIGKILL');
  assert.ok(await eventually(() => sandboxedProcesses().length === 0));
});

test('only the descriptors of input, output, error and result are inherited', { skip }, async () => {
  const source = python(
    'import os',
    'links = [os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd") if int(fd) > 3 and os.path.exists(f"/proc/self/fd/{fd}")]',
    'print([link for link in links if link != "/dev/null" and not link.startswith("/proc/")])',
  );
  const at60 = Array.from(
    { length: 61 },
    (_, fd) => (fd === 1 || fd === 60 ? 'pipe' : 'ignore') as 'pipe' | 'ignore',
  );
  const host = startHost(at60, source);
  const chunks: Buffer[] = [];
  host.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk));
  await new Promise((resolve) => host.once('exit', resolve));
  assert.equal(Buffer.concat(chunks).toString(), '[]\n');
});

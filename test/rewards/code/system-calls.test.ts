import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { DEFAULT_LIMITS } from '../../../rewards/code/index.ts';
import { deniedCalls, MACHINES, systemCallFilter } from '../../../rewards/code/system-calls.ts';
import { eventually, sandboxedProcesses, sandboxOf, whySkip } from './support.ts';

const sandbox = sandboxOf();
const skip = await whySkip(sandbox);
const machine = process.arch === 'arm64' ? MACHINES.arm64 : MACHINES.x64;

const ALLOWED = 'allowed';
const [EPERM, ENOSYS, EAFNOSUPPORT] = [1, 38, 97];

/** The result of a call under a filter: interprets the part of classic BPF that filters use. */
function verdict(filter: Buffer, architecture: number, call: number, argument = 0): number | typeof ALLOWED {
  const data = new Map([
    [0, call],
    [4, architecture],
    [16, argument],
  ]);
  let accumulator = 0;
  for (let at = 0; at < filter.length; at += 8) {
    const [code, then, otherwise] = [
      filter.readUInt16LE(at),
      filter.readUInt8(at + 2),
      filter.readUInt8(at + 3),
    ];
    const value = filter.readUInt32LE(at + 4);
    if (code === 0x20) accumulator = data.get(value) ?? Number.NaN;
    else if (code === 0x06) return value === 0x7fff_0000 ? ALLOWED : value - 0x0005_0000;
    else {
      const holds = { 21: accumulator === value, 37: accumulator > value, 69: (accumulator & value) !== 0 }[
        code
      ];
      assert.notEqual(holds, undefined, `instruction ${code}`);
      at += 8 * (holds ? then : otherwise);
    }
  }
  throw new Error('the filter ends without a verdict');
}

for (const [architecture, known] of Object.entries(MACHINES)) {
  const filter = systemCallFilter(architecture as NodeJS.Architecture);
  const under = (call: number, argument?: number) => verdict(filter, known.audit, call, argument);

  test(`the filter of ${architecture} allows only local sockets`, () => {
    for (let family = 0; family < 1024; family++) {
      const expected = family === 1 ? ALLOWED : EAFNOSUPPORT;
      assert.equal(under(known.socket, family), expected, `socket of family ${family}`);
      assert.equal(under(known.socketpair, family), expected, `pair of family ${family}`);
    }
  });

  test(`the filter of ${architecture} allows threads and processes, but no new namespaces`, () => {
    for (const flags of [17, 0x003d_0f00, 0x0120_0011]) assert.equal(under(known.clone, flags), ALLOWED);
    for (const bit of [17, 25, 26, 27, 28, 29, 30]) assert.equal(under(known.clone, 2 ** bit + 17), EPERM);
    assert.equal(under(435), ENOSYS);
  });

  test(`the filter of ${architecture} refuses other architectures and later calls`, () => {
    assert.equal(verdict(filter, 0x4000_0003, 1), ENOSYS);
    for (const call of [457, 470, 0x4000_0000, 0x4000_0000 + known.socket, 0xffff_ffff])
      assert.equal(under(call), ENOSYS, `call ${call}`);
  });

  test(`the filter of ${architecture} denies exactly the calls that it names`, () => {
    const denied = deniedCalls(known);
    const special: number[] = [known.socket, known.socketpair, 435];
    for (let call = 0; call <= 456; call++) {
      const named = [...denied].find(([, number]) => number === call)?.[0];
      if (!special.includes(call)) assert.equal(under(call), named === undefined ? ALLOWED : EPERM, named);
    }
    assert.equal(new Set(denied.values()).size, denied.size);
  });
}

test('a machine with unknown system calls has no sandbox', () => {
  assert.throws(() => systemCallFilter('riscv64'), /x64 or arm64\), found riscv64/);
});

async function runs(argv: string[], source: string): Promise<string> {
  const { stdout, stderr } = await sandbox.run({
    argv: [...argv, '/box/main'],
    files: [{ name: 'main', content: source }],
    stdin: '',
    limits: { ...DEFAULT_LIMITS.run, cpuSeconds: 60, wallSeconds: 600 },
    memoryRlimit: 'data',
    stackBytes: 2 ** 23,
  });
  return stdout.toString() + stderr;
}
const python = (...lines: string[]) => runs([sandbox.find('python3') ?? ''], `${lines.join('\n')}\n`);

afterEach(async () => {
  if (skip === false) assert.ok(await eventually(() => sandboxedProcesses().length === 0));
});

test('inside, only the local family of sockets is available', { skip }, async () => {
  const printed = await python(
    'import ctypes, socket',
    'libc = ctypes.CDLL(None, use_errno=True)',
    'seen = {}',
    'def note(family, made):',
    '  seen.setdefault(family, set()).add("made" if made >= 0 else ctypes.get_errno())',
    'pair = (ctypes.c_int * 2)()',
    'for family in range(128):',
    '  for kind in range(11):',
    '    note(family, libc.socket(family, kind, 0))',
    '    note(family, libc.socketpair(family, kind, 0, pair))',
    // Only the lower half of the argument is the family.
    `  note(family, libc.syscall(${machine.socket}, ctypes.c_ulong(family | 1 << 32), ctypes.c_ulong(1), ctypes.c_ulong(0)))`,
    `print(sorted(family for family in seen if seen[family] != {${EAFNOSUPPORT}}), "made" in seen[1])`,
  );
  assert.equal(printed, '[1] True\n');
});

test('inside, every call that is denied fails, and so do those of other architectures', {
  skip,
}, async () => {
  const calls = [...deniedCalls(machine)];
  const printed = await python(
    'import ctypes',
    'libc = ctypes.CDLL(None, use_errno=True)',
    'def errno(call, *rest):',
    '  arguments = [ctypes.c_ulong(each) for each in (*rest, 0, 0, 0, 0, 0, 0)[:6]]',
    '  return ctypes.get_errno() if libc.syscall(ctypes.c_ulong(call), *arguments) == -1 else 0',
    `print([name for name, call in ${JSON.stringify(calls)} if errno(call) != ${EPERM}])`,
    'PTRACE_ATTACH, PTRACE_SEIZE, SIGCHLD = 16, 0x4206, 17',
    `print([errno(${deniedCalls(machine).get('ptrace')}, request, 1) for request in (PTRACE_ATTACH, PTRACE_SEIZE)])`,
    `print({errno(${machine.clone}, 1 << bit | SIGCHLD) for bit in (17, 25, 26, 27, 28, 29, 30)})`,
    `print({errno(call) for call in (435, 457, 999, 0x40000000 + ${machine.socket}, 0x40000027)})`,
  );
  assert.equal(printed, `[]\n[${EPERM}, ${EPERM}]\n{${EPERM}}\n{${ENOSYS}}\n`);
});

test('inside, calls of 32-bit x86 do not exist', {
  skip: skip || (process.arch === 'x64' ? false : 'needs x64'),
}, async () => {
  const assembly = 'int result; asm volatile("int $0x80" : "=a"(result) : "a"(20) : "memory");';
  const source = `#include <cstdio>\nint main() { ${assembly} std::printf("%d\\n", result); }`;
  const compile = 'g++ -x c++ "$1" -o /tmp/program && /tmp/program || echo crashed';
  // A kernel without 32-bit programs ends the program itself.
  assert.match(await runs(['/bin/sh', '-c', compile, 'sh'], source), /^-38\n$|crashed/);
});

test('inside, threads, processes and local sockets work', { skip }, async () => {
  const printed = await python(
    'import asyncio, multiprocessing, subprocess, threading, concurrent.futures',
    'async def main(): return await asyncio.to_thread(lambda: 5)',
    'print(asyncio.run(main()))',
    'print(subprocess.run(["/bin/echo", "said"], capture_output=True).stdout.decode().strip())',
    'with multiprocessing.Pool(2) as pool: print(pool.map(abs, [-1, 2]))',
    'with concurrent.futures.ThreadPoolExecutor(4) as pool: print(list(pool.map(abs, [-3])))',
  );
  assert.equal(printed, '5\nsaid\n[1, 2]\n[3]\n');
  const node = [
    'const { Worker } = require("node:worker_threads"), { execFile } = require("node:child_process");',
    'new Worker("require(\\"node:worker_threads\\").parentPort.postMessage(7)", { eval: true }).on("message", console.log);',
    'execFile("/bin/echo", ["said"], (_, out) => console.log(out.trim()));',
  ];
  assert.deepEqual((await runs([sandbox.node], node.join('\n'))).trim().split('\n').sort(), ['7', 'said']);
});

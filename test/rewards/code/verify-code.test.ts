import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LosslessNumber } from 'lossless-json';
import {
  type CodeTask,
  createSandbox,
  type Language,
  languageNamed,
  parseVerificationInfo,
  verifyCode,
} from '../../../rewards/code/index.ts';
import { sandboxOf, whySkip } from './support.ts';

const sandbox = sandboxOf();
const skip = await whySkip(sandbox);

const stdin = (input: string, output: string) => ({ type: 'stdin_stdout' as const, input, output });
const SUMS = [stdin('3 4\n', '7\n'), stdin('10 -4\n', '6')];

async function kinds(task: Omit<CodeTask, 'mode'> & { mode?: CodeTask['mode'] }) {
  const verdict = await verifyCode({ mode: 'pass-rate', ...task }, sandbox);
  if ('error' in verdict) return [`error ${verdict.error.kind}: ${verdict.error.message}`];
  return [verdict.score, ...verdict.tests.map(({ kind }) => kind)];
}

/** One right program, one that is right for the first test only, and each way to fail. */
const PROGRAMS: Record<Language, Record<string, string>> = {
  python: {
    right: 'print(sum(map(int, input().split())))',
    half: 'print(7)',
    parse: 'print(sum(map(int, input().split()))',
    crash: 'raise SystemExit(3)',
    loop: 'while True: pass',
  },
  javascript: {
    right: 'const [a, b] = require("fs").readFileSync(0, "utf8").split(" ").map(Number); console.log(a + b);',
    half: 'console.log(7)',
    parse: 'console.log(7',
    crash: 'throw new Error("no")',
    loop: 'for (;;);',
  },
  cpp: {
    right:
      '#include <cstdio>\nint main() { int a, b; std::scanf("%d %d", &a, &b); std::printf("%d\\n", a + b); }',
    half: '#include <cstdio>\nint main() { std::puts("7"); }',
    parse: 'int main() {',
    crash: '#include <cstdlib>\nint main() { std::abort(); }',
    loop: 'int main() { for (volatile int i = 0;; i = i + 1); }',
  },
};
const WANTED: Record<string, unknown[]> = {
  right: [1, 'passed', 'passed'],
  half: [0.5, 'passed', 'wrong-answer'],
  parse: [0, 'compile-error', 'compile-error'],
  crash: [0, 'crashed', 'crashed'],
};

for (const [language, programs] of Object.entries(PROGRAMS) as [Language, Record<string, string>][]) {
  test(`every kind of verdict occurs in ${language}`, { skip }, async () => {
    for (const [name, wanted] of Object.entries(WANTED)) {
      assert.deepEqual(await kinds({ language, source: programs[name] ?? '', tests: SUMS }), wanted, name);
    }
    const limits = { run: { cpuSeconds: 0.5, wallSeconds: 120 } };
    const loop = await kinds({ language, source: programs.loop ?? '', tests: SUMS.slice(1), limits });
    assert.deepEqual(loop, [0, 'time-limit']);
  });
}

const CALLS = parseVerificationInfo({
  language: 'python',
  fn_name: 'tally',
  test_cases: [
    { type: 'function_call', input: [[1, 2, 3], 'x'], output: [{ x: 6 }] },
    { type: 'function_call', input: '[9007199254740993, 1]\n"y\\"é"', output: '{"y\\"é": 9007199254740994}' },
    { type: 'function_call', input: [[], ''], output: { '': 1 } },
  ],
}).tests;

const FUNCTIONS: Record<string, [Language, string]> = {
  'a function in python': ['python', 'def tally(a: List[int], k):\n  print("noise")\n  return {k: sum(a)}'],
  'a method of Solution in python': [
    'python',
    'class Solution:\n  def tally(self, a, k): return {k: sum(a)}',
  ],
  'a method of Solution in cpp': [
    'cpp',
    'class Solution {\npublic:\n  map<string, long long> tally(vector<long long>& a, const string& k) { return {{k, accumulate(a.begin(), a.end(), 0LL)}}; }\n};',
  ],
};
for (const [what, [language, source]] of Object.entries(FUNCTIONS)) {
  test(`${what} is called with its arguments and judged by its result`, { skip }, async () => {
    assert.deepEqual(await kinds({ language, source, tests: CALLS }), [
      2 / 3,
      'passed',
      'passed',
      'wrong-answer',
    ]);
  });
}

test('a function in javascript is called, also one that returns a promise', { skip }, async () => {
  const tests = CALLS.filter((_, i) => i !== 1);
  for (const source of [
    'const tally = (a, k) => ({ [k]: a.reduce((x, y) => x + y, 0) });',
    'async function tally(a, k) { return { [k]: a.reduce((x, y) => x + y, 0) }; }',
    'class Solution { tally(a, k) { return new Map([[k, a.reduce((x, y) => x + y, 0)]]); } }',
  ]) {
    assert.deepEqual(await kinds({ language: 'javascript', source, tests }), [0.5, 'passed', 'wrong-answer']);
  }
});

const call = (fn_name: string, input: unknown, output: unknown) =>
  parseVerificationInfo({ language: 'cpp', fn_name, test_cases: [{ input, output }] }).tests;

test('an argument in cpp is an integer that its type can hold, or ends the call', { skip }, async () => {
  const source =
    'long long add(long long a, unsigned char b) { return a + b; }\n__int128 wide(__int128 a) { return a * -10; }';
  const tests = [
    ...call('add', [-9223372036854775808n, 255], -9223372036854775553n),
    ...call('add', [new LosslessNumber('1e3'), new LosslessNumber('5.0')], 1005),
    ...call('add', [1, 256], 1),
    ...call('add', [1, -1], 0),
    ...call('add', [1, 1.5], 2),
    ...call('add', [9223372036854775808n, 0], 0),
    ...call('wide', [2n ** 100n], -10n * 2n ** 100n),
  ];
  const [, ...found] = await kinds({ language: 'cpp', source, tests });
  assert.deepEqual(found, ['passed', 'passed', ...Array(4).fill('crashed'), 'passed']);
});

test('javascript gets BigInts beyond the range of exact doubles, and returns JSON values', {
  skip,
}, async () => {
  const source = `const kinds = (...all) => all.flat().map((each) => typeof each);
    const values = () => ({ a: undefined, b: () => 1, c: new Date(0), d: new Map([['k', new Set([1n])]]),
      e: new Uint8Array(2), f: [undefined, , null], g: -0, h: 2 ** 60, i: 2 ** 53 - 1, j: 10n ** 30n, k: 'x' });`;
  const big = 9007199254740993n;
  const wanted = {
    c: '1970-01-01T00:00:00.000Z',
    d: { k: [1] },
    e: [0, 0],
    f: [null, null, null],
    g: 0,
    k: 'x',
  };
  const numbers = { h: 2n ** 60n, i: 9007199254740991, j: 10n ** 30n };
  const arguments_ = [1, [big, 2.5], -big, 'x9007199254740993'];
  const tests = [
    ...call('kinds', arguments_, ['number', 'bigint', 'number', 'bigint', 'string']),
    ...call('values', [], { ...wanted, ...numbers }),
  ];
  assert.deepEqual(await kinds({ language: 'javascript', source, tests }), [1, 'passed', 'passed']);
});

test('all or nothing runs nothing after the first failure', { skip }, async () => {
  const tests = [stdin('', '1'), stdin('', '2'), stdin('', '1')];
  const task = { language: 'python' as const, source: 'print(1)', mode: 'all-or-nothing' as const };
  assert.deepEqual(await kinds({ ...task, tests }), [0, 'passed', 'wrong-answer', 'not-run']);
  assert.deepEqual(await kinds({ ...task, tests: tests.slice(0, 1) }), [1, 'passed']);
});

test('a test sees nothing of another test', { skip }, async () => {
  const source = 'import os\nprint(os.path.exists("/tmp/seen"))\nopen("/tmp/seen", "w").close()';
  assert.deepEqual(
    await kinds({ language: 'python', source, tests: [stdin('', 'False'), stdin('', 'False')] }),
    [1, 'passed', 'passed'],
  );
});

const ANY_FACTOR = `import sys
n, expected, actual = (int(open(path).read()) for path in sys.argv[1:])
print(int(1 < actual < n and n % actual == 0))`;

test('a checker accepts any right output; an output on which it fails is rejected', {
  skip,
}, async () => {
  const checker = { language: 'python', source: ANY_FACTOR, protocol: 'open-r1' } as const;
  const tests = [stdin('12', '2')];
  for (const [printed, wanted] of [
    ['3', 'passed'],
    ['5', 'wrong-answer'],
    ['nonsense', 'wrong-answer'],
  ]) {
    const [, kind] = await kinds({ language: 'python', source: `print("${printed}")`, tests, checker });
    assert.equal(kind, wanted);
  }
});

test('a checker for testlib judges by its exit code', { skip }, async () => {
  const source = 'import sys\nsys.exit(0 if open(sys.argv[2]).read().strip() == "ours" else 1)';
  const checker = { language: 'python', source, protocol: 'testlib' } as const;
  const tests = [stdin('', 'theirs')];
  assert.deepEqual(await kinds({ language: 'python', source: 'print("ours")', tests, checker }), [
    1,
    'passed',
  ]);
  assert.deepEqual(await kinds({ language: 'python', source: 'print("theirs")', tests, checker }), [
    0,
    'wrong-answer',
  ]);
});

test('a checker that fails is an error, not a score of 0', { skip }, async () => {
  const checker = { language: 'python', source: 'raise ValueError', protocol: 'open-r1' } as const;
  const task = {
    language: 'python',
    source: 'print(1)',
    tests: [stdin('', '1')],
    mode: 'pass-rate',
    checker,
  } as const;
  const verdict = await verifyCode(task, sandbox);
  assert.ok('error' in verdict && verdict.error.kind === 'checker' && !verdict.error.retryable);
});

test('without bubblewrap, nothing runs and nothing is scored', async () => {
  const without = createSandbox({ parallel: 1, searchPath: ['/nowhere'] });
  const verdict = await verifyCode(
    { language: 'python', source: 'print(1)', tests: [stdin('', '1')], mode: 'pass-rate' },
    without,
  );
  assert.ok('error' in verdict && verdict.error.kind === 'sandbox-missing', JSON.stringify(verdict));
  assert.match(verdict.error.message, /bubblewrap/);
  const { usable, reason } = await without.report();
  assert.equal(usable, false);
  assert.match(reason ?? '', /bwrap/);
});

test('a language has the names that data sets use', () => {
  for (const name of ['python3', 'Python 3', 'PyPy3', 'python3.11'])
    assert.equal(languageNamed(name), 'python');
  for (const name of ['C++', 'GNU C++17', 'cpp17', 'g++']) assert.equal(languageNamed(name), 'cpp');
  for (const name of ['JavaScript', 'Node.js', 'node20']) assert.equal(languageNamed(name), 'javascript');
  for (const name of ['python2', 'c', 'java', '', 'c'.repeat(1_000)])
    assert.equal(languageNamed(name), undefined);
});

test('tests that cannot run are rejected as a whole', () => {
  assert.throws(() => parseVerificationInfo({ language: 'cobol', test_cases: [stdin('', '')] }), /cobol/);
  assert.throws(() => parseVerificationInfo({ language: 'python', test_cases: [] }));
  const named = (fn_name: string) => ({
    language: 'python',
    test_cases: [{ fn_name, input: [], output: 1 }],
  });
  assert.throws(() => parseVerificationInfo(named('f(); evil')), /plain name/);
  assert.equal(parseVerificationInfo(JSON.stringify(named('f'))).tests[0]?.type, 'function_call');
});

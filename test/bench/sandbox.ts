/**
 * Programs judged per second in each language: `--programs` right programs with `--tests` tests each, `--parallel` at
 * once; C++ including its compilation. Also the time of a start of the sandbox alone.
 *
 *     node --import tsx test/bench/sandbox.ts [--programs 20] [--tests 5] [--parallel 2] [--cgroups auto|off]
 */
import { parseArgs } from 'node:util';
import { createSandbox, DEFAULT_LIMITS, type Language, verifyCode } from '../../rewards/code/index.ts';

const { values } = parseArgs({
  options: {
    programs: { type: 'string', default: '20' },
    tests: { type: 'string', default: '5' },
    parallel: { type: 'string', default: '2' },
    cgroups: { type: 'string', default: 'auto' },
  },
});
const [programs, tests, parallel] = [values.programs, values.tests, values.parallel].map(Number) as [
  number,
  number,
  number,
];

const PROGRAMS: Record<Language, string> = {
  python: 'print(sum(map(int, input().split())))',
  javascript:
    'console.log(require("fs").readFileSync(0, "utf8").split(" ").reduce((a, b) => a + Number(b), 0));',
  cpp: '#include <iostream>\nint main() { long sum = 0, x; while (std::cin >> x) sum += x; std::cout << sum << "\\n"; }',
};

const sandbox = createSandbox({ parallel, cgroups: values.cgroups === 'off' ? 'off' : 'auto' });
const { usable, reason, bounds } = await sandbox.report();
if (!usable) throw new Error(`no sandbox on this machine: ${reason}`);

async function seconds(work: () => Promise<void>, count: number): Promise<number> {
  const start = performance.now();
  await Promise.all(Array.from({ length: count }, work));
  return (performance.now() - start) / 1000;
}

async function start(): Promise<void> {
  const rest = { files: [], stdin: '', memoryRlimit: 'as', stackBytes: 2 ** 23 } as const;
  await sandbox.run({ argv: ['/bin/true'], limits: DEFAULT_LIMITS.run, ...rest });
}

async function judge(language: Language): Promise<void> {
  const cases = Array.from({ length: tests }, (_, i) => {
    return { type: 'stdin_stdout' as const, input: `${i} 1 2\n`, output: `${i + 3}\n` };
  });
  const task = { language, source: PROGRAMS[language], tests: cases, mode: 'pass-rate' as const };
  const verdict = await verifyCode(task, sandbox);
  if (!('score' in verdict) || verdict.score !== 1) throw new Error(JSON.stringify(verdict));
}

const starts = 5 * programs;
console.log(`memory and processes by ${bounds.memory}, ${parallel} at once`);
console.log(`empty sandbox: ${(starts / (await seconds(start, starts))).toFixed(0)} starts/s`);
for (const language of Object.keys(PROGRAMS) as Language[]) {
  const rate = programs / (await seconds(() => judge(language), programs));
  console.log(
    `${language}: ${rate.toFixed(1)} programs/s with ${tests} tests each, ${(rate * tests).toFixed(0)} tests/s`,
  );
}

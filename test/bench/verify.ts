/**
 * Answers per second of the math verifier, with a pool of one thread, and of Math-Verify in Python, in one process
 * with its time limits: the same rows, in one run. Best of several.
 *
 *     node --import tsx test/bench/verify.ts [--repeats 5] [--python PATH]
 *
 * Without --python, Math-Verify is installed into a virtual environment in the temporary folder.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { MathPool } from '../../rewards/math/pool.ts';
import { peerPython } from './peer-python.ts';

const MATH_VERIFY = 'math-verify==0.9.0';

const { values } = parseArgs({
  options: { repeats: { type: 'string', default: '5' }, python: { type: 'string' } },
});
const repeats = Number(values.repeats);

interface Row {
  suite?: string;
  truth: string;
  response: string;
}

const rows: Row[] = readFileSync(new URL('../rewards/math-cases.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .slice(1)
  .map((line) => JSON.parse(line))
  .filter(({ suite }: Row) => suite !== undefined);

const pythonWithMathVerify = () =>
  values.python ?? peerPython('math-verify', [MATH_VERIFY, 'antlr4-python3-runtime==4.13.2']);

const SCRIPT = `
import json, logging, sys, time
from math_verify import parse, verify
logging.disable(logging.CRITICAL)
rows = [json.loads(line) for line in open(sys.argv[1])]
def run():
    start = time.perf_counter()
    for row in rows:
        verify(parse(row["truth"]), parse(row["response"]))
    return len(rows) / (time.perf_counter() - start)
run()
print(max(run() for _ in range(int(sys.argv[2]))))
`;

function measurePython(): number {
  const python = pythonWithMathVerify();
  const file = join(tmpdir(), `math-verify-bench-${process.pid}.jsonl`);
  writeFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  // Math-Verify caches the parsed answers of its last twenty calls, fewer than the rows.
  return Number(
    execFileSync(python, ['-c', SCRIPT, file, String(Math.min(repeats, 2))], { encoding: 'utf8' }),
  );
}

async function measureOurs(): Promise<number> {
  const pool = new MathPool({ threads: 1 });
  const requests = Array.from({ length: 10 }, () => rows)
    .flat()
    .map(({ truth, response }) => ({ groundTruth: truth, response }));
  await pool.verify(requests);
  const speeds: number[] = [];
  for (let i = 0; i < repeats; i++) {
    const start = performance.now();
    await pool.verify(requests);
    speeds.push((1000 * requests.length) / (performance.now() - start));
  }
  await pool.close();
  return Math.max(...speeds);
}

const ours = await measureOurs();
console.log(`ours, through the pool: ${Math.round(ours).toLocaleString('en')} answers/s`);
const theirs = measurePython();
console.log(`${MATH_VERIFY}: ${theirs.toFixed(1)} answers/s`);
console.log(`ratio: ${(ours / theirs).toFixed(1)}`);

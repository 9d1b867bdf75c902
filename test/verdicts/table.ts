// Prints how many cases of each kind are right: in the release before the kind was fixed, and now. `--record`
// adds `before` to cases without it.
import { writeFileSync } from 'node:fs';
import { stringifyExactJson } from '../../contracts/exact-json.ts';
import { fileOf, isExpected, kinds, readCases, verdictsOn } from './cases.ts';

const record = process.argv.includes('--record');
const wanted = process.argv.slice(2).filter((arg) => !arg.startsWith('--'));
const out = (line: string) => process.stdout.write(`${line}\n`);

const header = `${'kind'.padEnd(24)}${'cases'.padStart(8)}${'before'.padStart(8)}${'now'.padStart(8)}`;
out(header);
for (const kind of kinds.filter((each) => wanted.length === 0 || wanted.includes(each))) {
  const cases = readCases(kind);
  const verdicts = await verdictsOn(cases);
  if (record) {
    const rows = cases.map((each, i) => ({ ...each, before: each.before ?? verdicts[i] }));
    writeFileSync(fileOf(kind), rows.map((row) => `${stringifyExactJson(row)}\n`).join(''));
  }
  const now = cases.filter(({ expected }, i) => isExpected(expected, verdicts[i] ?? 'error')).length;
  const before = cases.filter((each, i) =>
    isExpected(each.expected, each.before ?? verdicts[i] ?? 'error'),
  ).length;
  out(kind.padEnd(24) + [cases.length, before, now].map((count) => String(count).padStart(8)).join(''));
  for (const [i, each] of cases.entries()) {
    if (isExpected(each.expected, verdicts[i] ?? 'error')) continue;
    out(`  ${each.id}: expected ${each.expected}, found ${verdicts[i]}`);
  }
}

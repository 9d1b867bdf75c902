/**
 * `npm run bench:nano-zero`: R1-Zero in miniature as a user runs it, with three run seeds of one base, each with a
 * control whose rewards are permuted over the batch. Prints the figures of the paper's table, and whether each
 * phenomenon occurred. Starts its own stack; takes about five minutes on two cores.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tableText } from '../../cli/output/output.ts';
import type { EvaluationDocument, ShowDocument } from '../../contracts/documents.ts';
import { r1 } from './r1.ts';
import {
  type Claim,
  evaluationOf,
  groundsText,
  intervalText,
  minutesOf,
  percent,
  reportClaims,
  runTrial,
  type Trial,
} from './trials.ts';

const recipe = 'recipes/nano-zero.yaml';
const SEEDS = [1, 2, 3];
const trialsOf = (name: string, settings: readonly string[]): Trial[] =>
  SEEDS.map((seed) => ({ name: `${name}-${seed}`, recipe, settings: [`seed=${seed}`, ...settings] }));
const trials = trialsOf('seed', []);
const controls = trialsOf('permuted', ['shuffle_rewards=true']);

interface Outcome {
  name: string;
  base: EvaluationDocument;
  zero: EvaluationDocument;
  minutes: number;
}

const outcomeOf = (run: ShowDocument): Outcome => ({
  name: run.run,
  base: evaluationOf(run, 'base'),
  zero: evaluationOf(run, 'zero'),
  minutes: minutesOf(run),
});

function report(all: Outcome[]): void {
  const [first] = all;
  if (first === undefined) return;
  console.log(groundsText(first.zero));
  const head = ['', 'pass@1', '95 %', `cons@${first.zero.k}`, 'format', 'length', 'checks', 'minutes'];
  const rows = all.flatMap(({ name, base, zero, minutes }) => [
    row(`${name}: base`, base),
    [...row(`${name}: R1-Zero`, zero), minutes.toFixed(1)],
  ]);
  console.log(tableText(head, rows));
  reportClaims(claimsOf(all));
}

function row(name: string, e: EvaluationDocument): string[] {
  return [
    name,
    percent(e.passAt1),
    intervalText(e),
    percent(e.consAtK),
    percent(e.formatRate),
    e.meanLength.toFixed(1),
    percent(e.reflectionRate),
  ];
}

function claimsOf(all: Outcome[]): Claim[] {
  const of = (some: readonly Trial[]) => all.filter(({ name }) => some.some((trial) => trial.name === name));
  const [trained, permuted] = [of(trials), of(controls)];
  return [
    { text: 'pass@1 of the base is at most 20 %', holds: trained.every(({ base }) => base.passAt1 <= 0.2) },
    {
      text: 'pass@1 of R1-Zero is at least 80 %, with every seed',
      holds: trained.every(({ zero }) => zero.passAt1 >= 0.8),
    },
    {
      text: 'answers grow at least threefold',
      holds: trained.every(({ base, zero }) => zero.meanLength >= 3 * base.meanLength),
    },
    {
      text: 'the share that checks its steps grows at least threefold',
      holds: trained.every(({ base, zero }) => zero.reflectionRate >= 3 * base.reflectionRate),
    },
    {
      text: 'with permuted rewards pass@1 changes by less than 5 points',
      holds: permuted.every(({ base, zero }) => Math.abs(zero.passAt1 - base.passAt1) < 0.05),
    },
  ];
}

const home = await mkdtemp(join(tmpdir(), 'r1-bench-'));
const outcomes: Outcome[] = [];
try {
  await r1(home, 'up');
  for (const trial of [...trials, ...controls]) outcomes.push(outcomeOf(await runTrial(home, trial)));
} finally {
  await r1(home, 'down', '--purge');
  await rm(home, { recursive: true, force: true });
}
report(outcomes);

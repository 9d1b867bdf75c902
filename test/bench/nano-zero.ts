/**
 * `npm run bench:nano-zero`: R1-Zero in miniature as a user runs it, over three run seeds of one base, and a
 * control whose rewards are permuted over the batch. Prints what the paper's table prints, and says whether
 * each phenomenon showed. On a stack of its own; takes about the time of four `npm start`.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { tableText } from '../../cli/output.ts';
import type { EvaluationDocument, ShowDocument } from '../../contracts/documents.ts';
import { r1, r1Json } from './r1.ts';

interface Trial {
  name: string;
  settings: string[];
}

const seeds: Trial[] = [1, 2, 3].map((seed) => ({ name: `seed-${seed}`, settings: [`seed=${seed}`] }));
const control: Trial = { name: 'permuted', settings: ['seed=1', 'shuffle_rewards=true'] };

interface Outcome {
  name: string;
  base: EvaluationDocument;
  zero: EvaluationDocument;
  minutes: number;
}

async function runTrial({ name, settings }: Trial): Promise<Outcome> {
  console.error(`${name} …`);
  const sets = settings.flatMap((setting) => ['--set', setting]);
  await r1(home, 'launch', 'recipes/nano-zero.yaml', '--name', name, '--detach', ...sets);
  for (;;) {
    const run = await r1Json<ShowDocument>(home, 'show', name);
    if (run.status === 'complete') return outcomeOf(name, run);
    if (run.status !== 'running') throw new Error(`${name}: expected it to go on, found it ${run.status}`);
    await sleep(5000);
  }
}

function outcomeOf(name: string, { evaluations, stages, startedAt, finishedAt }: ShowDocument): Outcome {
  const last = stages.at(-1)?.steps;
  const base = evaluations.find(({ stage }) => stage === 'base');
  const zero = evaluations.find(({ stage, step }) => stage === 'zero' && step === last);
  if (base === undefined || zero === undefined)
    throw new Error(`${name}: expected evaluations of base and zero`);
  const minutes = (Date.parse(finishedAt ?? '') - Date.parse(startedAt)) / 60_000;
  return { name, base, zero, minutes };
}

function report(all: Outcome[]): void {
  const [first] = all;
  if (first === undefined) return;
  const { problems, k } = first.zero;
  console.log(
    `${cpus()[0]?.model.trim()}, ${availableParallelism()} cores, Node ${process.version}, ` +
      `${new Date().toISOString().slice(0, 10)}; ${problems} held-out problems, k = ${k}, temperature 0.6, top-p 0.95\n`,
  );
  const head = ['', 'pass@1', '95 %', `cons@${k}`, 'format', 'length', 'checks', 'minutes'];
  const rows = all.flatMap(({ name, base, zero, minutes }) => [
    row(`${name}: base`, base),
    [...row(`${name}: R1-Zero`, zero), minutes.toFixed(1)],
  ]);
  console.log(tableText(head, rows));
  const claims = claimsOf(all);
  for (const [claim, holds] of claims) console.log(`${holds ? 'shown ' : 'NOT shown'}  ${claim}`);
  if (claims.some(([, holds]) => !holds)) process.exitCode = 1;
}

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

function row(name: string, e: EvaluationDocument): string[] {
  const interval = e.passAt1Interval.map(percent).join(' – ');
  return [
    name,
    percent(e.passAt1),
    interval,
    percent(e.consAtK),
    percent(e.formatRate),
    e.meanLength.toFixed(1),
    percent(e.reflectionRate),
  ];
}

function claimsOf(all: Outcome[]): [string, boolean][] {
  const trained = all.filter(({ name }) => name !== control.name);
  const permuted = all.filter(({ name }) => name === control.name);
  return [
    ['pass@1 of the base is at most 20 %', trained.every(({ base }) => base.passAt1 <= 0.2)],
    ['pass@1 of R1-Zero is at least 80 %, with every seed', trained.every(({ zero }) => zero.passAt1 >= 0.8)],
    [
      'answers grow at least threefold',
      trained.every(({ base, zero }) => zero.meanLength >= 3 * base.meanLength),
    ],
    [
      'the share that checks its steps grows at least threefold',
      trained.every(({ base, zero }) => zero.reflectionRate >= 3 * base.reflectionRate),
    ],
    [
      'with permuted rewards pass@1 moves by less than 5 points',
      permuted.every(({ base, zero }) => Math.abs(zero.passAt1 - base.passAt1) < 0.05),
    ],
  ];
}

const home = await mkdtemp(join(tmpdir(), 'r1-bench-'));
const outcomes: Outcome[] = [];
try {
  await r1(home, 'up');
  for (const trial of [...seeds, control]) outcomes.push(await runTrial(trial));
} finally {
  await r1(home, 'down', '--purge');
  await rm(home, { recursive: true, force: true });
}
report(outcomes);

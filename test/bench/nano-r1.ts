/**
 * `npm run bench:nano-r1`: the whole recipe in miniature as a user runs it, with three run seeds of one base. Prints
 * the figures of the paper's table, and whether each of the paper's phenomena occurred. Starts its own stack; takes
 * about the time of three `npm start`.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tableText } from '../../cli/output/output.ts';
import { policiesOf } from '../../cli/report/policies.ts';
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
} from './trials.ts';

const RECIPE = 'recipes/nano-r1.yaml';
const SEEDS = [1, 2, 3];
/** Minutes that a run may take on two cores. */
const BUDGET = 20;

const low = ({ passAt1Interval }: EvaluationDocument) => passAt1Interval[0];
const high = ({ passAt1Interval }: EvaluationDocument) => passAt1Interval[1];
const isAhead = (one: EvaluationDocument, other: EvaluationDocument) => low(one) > high(other);
const general = ({ generalAbility }: EvaluationDocument) => generalAbility ?? Number.NaN;
const language = ({ languageConsistency }: EvaluationDocument) => languageConsistency ?? Number.NaN;

/** A claim about one run, decided by the evaluations of its stages. */
type Phenomenon = (of: (stage: string) => EvaluationDocument, run: ShowDocument) => boolean;

const phenomena: Record<string, Phenomenon> = {
  'R1-Zero raises pass@1 from reward alone': (of) => isAhead(of('zero'), of('base')),
  'R1-Zero mixes languages: consistency at least 10 points below the base': (of) =>
    language(of('zero')) <= language(of('base')) - 0.1,
  'the language reward restores it: at least 95 % after reasoning RL': (of) =>
    language(of('reasoning-rl')) >= 0.95,
  'the cold start costs accuracy: below R1-Zero': (of) => isAhead(of('zero'), of('cold-start-sft')),
  'reasoning RL restores it: above the cold start': (of) => isAhead(of('reasoning-rl'), of('cold-start-sft')),
  'pure RL loses general ability: at least 10 points below the base': (of) =>
    general(of('zero')) <= general(of('base')) - 0.1,
  'rejection sampling and SFT restore it: within 5 points of the base': (of) =>
    general(of('rejection-sft')) >= general(of('base')) - 0.05,
  'R1 is at least as accurate as R1-Zero': (of) => of('scenario-rl').passAt1 >= of('zero').passAt1,
  'distilled students are ahead of the same students trained by RL alone': (of, { stages }) =>
    studentsOf(stages).every((name) => isAhead(of(`distill/${name}`), of(`control/${name}`))),
  'reward models rank at least 80 % of held-out pairs correctly': (_, { stages }) =>
    stages.every(({ measure }) => measure === null || measure.accuracy >= 0.8),
  [`it takes at most ${BUDGET} minutes`]: (_, run) => minutesOf(run) <= BUDGET,
};

const studentsOf = (stages: ShowDocument['stages']) =>
  stages.flatMap(({ stage }) => (stage.startsWith('distill/') ? [stage.slice('distill/'.length)] : []));

const claimsOf = (runs: readonly ShowDocument[]): Claim[] =>
  Object.entries(phenomena).map(([text, shows]) => ({
    text,
    holds: runs.every((run) => shows((stage) => evaluationOf(run, stage), run)),
  }));

const head = ['', 'pass@1', '95 %', 'cons@k', 'format', 'language', 'general', 'length', 'reflects'];

function rowsOf(run: ShowDocument): string[][] {
  const policies = policiesOf({
    show: run,
    evaluations: run.evaluations.map((each) => ({ ...each, quick: false })),
  });
  return policies.flatMap(({ title, name }) => [
    [`${run.run}: ${title}`, ...figuresOf(evaluationOf(run, name))],
  ]);
}

const figuresOf = (evaluation: EvaluationDocument) => [
  percent(evaluation.passAt1),
  intervalText(evaluation),
  percent(evaluation.consAtK),
  percent(evaluation.formatRate),
  percent(evaluation.languageConsistency),
  percent(evaluation.generalAbility),
  evaluation.meanLength.toFixed(1),
  percent(evaluation.reflectionRate),
];

function report(runs: readonly ShowDocument[]): void {
  const [first] = runs;
  if (first === undefined) return;
  console.log(groundsText(evaluationOf(first, 'base')));
  console.log(tableText(head, runs.flatMap(rowsOf)));
  for (const run of runs) console.log(`${run.run}: ${minutesOf(run).toFixed(1)} minutes`);
  reportClaims(claimsOf(runs));
}

const home = await mkdtemp(join(tmpdir(), 'r1-bench-'));
const runs: ShowDocument[] = [];
try {
  await r1(home, 'up');
  for (const seed of SEEDS) {
    runs.push(await runTrial(home, { name: `seed-${seed}`, recipe: RECIPE, settings: [`seed=${seed}`] }));
  }
} finally {
  await r1(home, 'down', '--purge');
  await rm(home, { recursive: true, force: true });
}
report(runs);

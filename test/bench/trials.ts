/** Common parts of the benchmarks of whole runs: launching a run as a user does, figures, claims. */
import { availableParallelism, cpus } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EvaluationDocument, ShowDocument } from '../../contracts/documents.ts';
import { r1, r1Json } from './r1.ts';

export interface Trial {
  name: string;
  recipe: string;
  /** arguments of `--set` */
  settings: readonly string[];
}

/** Runs a recipe to its end; throws where it stops before. */
export async function runTrial(home: string, { name, recipe, settings }: Trial): Promise<ShowDocument> {
  console.error(`${name} …`);
  const sets = settings.flatMap((setting) => ['--set', setting]);
  await r1(home, 'launch', recipe, '--name', name, '--detach', ...sets);
  for (;;) {
    const run = await r1Json<ShowDocument>(home, 'show', name);
    if (run.status === 'complete') return run;
    if (run.status !== 'running') throw new Error(`${name}: expected a running run, found ${run.status}`);
    await sleep(5000);
  }
}

/** The evaluation after a stage's last step; for `base` and `student/NAME`, before any step. */
export function evaluationOf({ run, evaluations, stages }: ShowDocument, stage: string): EvaluationDocument {
  const last = stages.find((each) => each.stage === stage)?.steps ?? 0;
  const found = evaluations.find((each) => each.stage === stage && each.step === last);
  if (found === undefined)
    throw new Error(`${run}: expected an evaluation of ${stage} at step ${last}, found none`);
  return found;
}

export const minutesOf = ({ startedAt, finishedAt }: Pick<ShowDocument, 'startedAt' | 'finishedAt'>) =>
  (Date.parse(finishedAt ?? '') - Date.parse(startedAt ?? '')) / 60_000;

export const percent = (share: number | null) => (share === null ? '–' : `${(100 * share).toFixed(1)} %`);

export const intervalText = ({ passAt1Interval: [low, high] }: EvaluationDocument) =>
  `${percent(low)} – ${percent(high)}`;

/** Machine, date, and the options of sampling. */
export const groundsText = ({ problems, k }: EvaluationDocument) =>
  `${cpus()[0]?.model.trim()}, ${availableParallelism()} cores, Node ${process.version}, ` +
  `${new Date().toISOString().slice(0, 10)}; ${problems} held-out problems, k = ${k}, temperature 0.6, top-p 0.95\n`;

export interface Claim {
  text: string;
  holds: boolean;
}

/** Prints whether each claim holds; the exit status is 1 unless all do. */
export function reportClaims(claims: readonly Claim[]): void {
  for (const { text, holds } of claims) console.log(`${holds ? 'shown    ' : 'NOT shown'}  ${text}`);
  if (claims.some(({ holds }) => !holds)) process.exitCode = 1;
}

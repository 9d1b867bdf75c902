/** What the benchmarks of whole runs share: a run launched and awaited as a user does it, figures, claims. */
import { availableParallelism, cpus } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EvaluationDocument, ShowDocument } from '../../contracts/documents.ts';
import { r1, r1Json } from './r1.ts';

export interface Trial {
  name: string;
  recipe: string;
  /** as `--set` takes them */
  settings: readonly string[];
}

/** The run at its end; throws where it stops on its way. */
export async function runTrial(home: string, { name, recipe, settings }: Trial): Promise<ShowDocument> {
  console.error(`${name} …`);
  const sets = settings.flatMap((setting) => ['--set', setting]);
  await r1(home, 'launch', recipe, '--name', name, '--detach', ...sets);
  for (;;) {
    const run = await r1Json<ShowDocument>(home, 'show', name);
    if (run.status === 'complete') return run;
    if (run.status !== 'running') throw new Error(`${name}: expected it to go on, found it ${run.status}`);
    await sleep(5000);
  }
}

/** The evaluation after a stage's last step; of `base` and `student/NAME`, before any. */
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

/** Machine, date, and how the answers were sampled. */
export const groundsText = ({ problems, k }: EvaluationDocument) =>
  `${cpus()[0]?.model.trim()}, ${availableParallelism()} cores, Node ${process.version}, ` +
  `${new Date().toISOString().slice(0, 10)}; ${problems} held-out problems, k = ${k}, temperature 0.6, top-p 0.95\n`;

export interface Claim {
  text: string;
  holds: boolean;
}

/** Prints what showed and what did not; the exit status says whether all did. */
export function reportClaims(claims: readonly Claim[]): void {
  for (const { text, holds } of claims) console.log(`${holds ? 'shown    ' : 'NOT shown'}  ${text}`);
  if (claims.some(({ holds }) => !holds)) process.exitCode = 1;
}

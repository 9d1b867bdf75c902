/** A run as a person reads it: one row a stage, then what is out of the ordinary. */

import { waysOn, waysText } from '../../algorithm/run/next-commands.ts';
import { numericsChangeText } from '../../algorithm/run/numerics-changes.ts';
import { verifierChangeText } from '../../algorithm/run/verifier-changes.ts';
import type { EvaluationDocument, ShowDocument } from '../../contracts/documents.ts';
import { clock, decimal, moment, percent, short } from '../output/figures.ts';
import { tableText } from '../output/output.ts';
import { productOf } from './product.ts';
import { placeText } from './run-view.ts';

type StageDocument = ShowDocument['stages'][number];

export function showText(show: ShowDocument, ui: string | null, now = Date.now()): string {
  const parts = [
    `${show.run}  ·  recipe ${show.recipe}  ·  seed ${show.seed}  ·  ${[show.status, ...placeText(show.place)].join(', ')}  ·  started ${moment(show.startedAt)}`,
    stagesText(show, now),
    ...show.stages.flatMap((stage) => restText(show.run, stage)),
    ...rankingsText(show.stages),
    ...(show.alarms.length === 0 ? [] : [alarmsText(show.alarms)]),
    ...show.stages.flatMap(numericsChangesText),
    ...show.stages.flatMap(verifiersText),
    ...show.stages.flatMap(changesText),
    ...checkpointsText(show),
    ...(ui === null ? [] : [`In the Temporal UI: ${ui}`]),
  ];
  return parts.join('\n\n');
}

const HEAD = ['stage', 'from', 'status', 'step', 'time', 'pass@1', 'length', 'language', 'general', 'digest'];

/** The models that stages start from, as they were measured before any training; then the stages. */
function stagesText({ stages, evaluations }: ShowDocument, now: number): string {
  const measured = (name: string) => evaluations.findLast(({ stage }) => stage === name) ?? null;
  const given = [...new Set(stages.map(({ origin }) => origin))].filter(
    (origin) => origin !== null && !stages.some(({ stage }) => stage === origin) && measured(origin) !== null,
  );
  const rows = [
    ...given.map((name) => [name ?? '', '', '', '', '', ...figuresOf(measured(name ?? '')), '']),
    ...stages.map((stage) => [
      stage.stage,
      stage.origin ?? '–',
      stage.branch === 0 ? stage.status : `${stage.status}, branch ${stage.branch}`,
      `${stage.step}/${stage.steps}`,
      clock(secondsOf(stage, now)),
      ...figuresOf(measured(stage.stage)),
      short(stage.checkpoint?.digest ?? null),
    ]),
  ];
  return tableText(HEAD, rows, { gap: 2 });
}

function secondsOf({ startedAt, finishedAt }: StageDocument, now: number): number | null {
  if (startedAt === null) return null;
  return ((finishedAt === null ? now : Date.parse(finishedAt)) - Date.parse(startedAt)) / 1_000;
}

function figuresOf(evaluation: EvaluationDocument | null): string[] {
  return [
    percent(evaluation?.passAt1 ?? null),
    decimal(evaluation?.meanLength ?? null, 1),
    percent(evaluation?.languageConsistency ?? null),
    percent(evaluation?.generalAbility ?? null),
  ];
}

/** Why a stage rests, and the ways on; nothing where it does not. */
function restText(run: string, { stage, status, reason }: StageDocument): string[] {
  const ways = waysOn(status, run);
  if (ways.length === 0) return [];
  return [`${stage} is ${status}: ${reason ?? 'no reason was recorded'}\n${waysText(ways)}`];
}

/** Of the reward models; nothing where none is measured. */
export function rankingsText(stages: readonly StageDocument[]): string[] {
  const lines = stages.flatMap(({ stage, measure }) =>
    measure === null ? [] : [rankingLine(stage, measure)],
  );
  return lines.length === 0 ? [] : [lines.join('\n')];
}

/** `reward-model/safety ranks 92.1 % of 200 held-out pairs rightly` */
export const rankingLine = (stage: string, { accuracy, pairs }: NonNullable<StageDocument['measure']>) =>
  `${stage} ranks ${percent(accuracy)} of ${pairs} held-out pairs rightly`;

/** Signs of trouble, each at the step that raised it. */
function alarmsText(alarms: ShowDocument['alarms']): string {
  return alarms
    .map(
      ({ stage, step, name, action, text }) =>
        `alarm ${name} (${action}) in ${stage} at step ${step}: ${text}`,
    )
    .join('\n');
}

/** Where a stage went on under other numerics (rule 12). */
function numericsChangesText({ stage, seams }: StageDocument): string[] {
  const lines = seams.map((seam) => `seam in ${stage} at step ${seam.step}: ${numericsChangeText(seam)}`);
  return lines.length === 0 ? [] : [lines.join('\n')];
}

/** Where a stage's rewards went on under other versions of their verifiers. */
function verifiersText({ stage, verifierChanges }: StageDocument): string[] {
  const lines = verifierChanges.map(
    (change) => `verifiers changed in ${stage} at step ${change.step}: ${verifierChangeText(change)}`,
  );
  return lines.length === 0 ? [] : [lines.join('\n')];
}

/** The live changes of a stage (rule 7). */
function changesText({ stage, changes }: StageDocument): string[] {
  if (changes.length === 0) return [];
  const rows = changes.map((c) => [stage, c.field, String(c.value), String(c.effectiveStep), c.author]);
  return [tableText(['changed in', 'field', 'to', 'from step', 'by'], rows)];
}

/** How a checkpoint is named to other commands, and where the run's product lies. */
function checkpointsText({ run, stages }: ShowDocument): string[] {
  const product = productOf(stages);
  if (product?.checkpoint == null) return [];
  return [
    `Checkpoints are named ${run}/STAGE or ${run}/STAGE@STEP; that of ${product.stage}:\n${product.checkpoint.uri}`,
  ];
}

/** `r1 runs`, `show` and `steps`: runs as text. */
import type { Command } from 'commander';
import { commandsText, nextCommands } from '../../algorithm/run/next-commands.ts';
import { numericsChangeText } from '../../algorithm/run/numerics-changes.ts';
import { verifierChangeText } from '../../algorithm/run/verifier-changes.ts';
import type { RunsDocument, ShowDocument, StepDocument } from '../../contracts/documents.ts';
import { besideRoles, roleOf } from '../../contracts/stage-name.ts';
import { runWorkflowId } from '../../contracts/workflows.ts';
import { listRuns } from '../../stores/runs/runs.ts';
import { listSteps } from '../../stores/steps/steps.ts';
import { clock, dateTime, decimal, metricsOf, percent, short } from '../output/figures.ts';
import { examples, jsonOption, printResult, RUN, tableText } from '../output/output.ts';
import { withConnections } from '../stack/connections.ts';
import { findRun, readShow } from './run-rows.ts';
import { workflowUrl } from './workflow-client.ts';

export const commands = { runs: defineRuns, show: defineShow, steps: defineSteps };

function defineRuns(command: Command): void {
  command
    .description('List all runs with their status, latest first.')
    .option(...jsonOption('runs'))
    .addHelpText('after', examples('r1 runs', 'r1 runs --json'))
    .action(({ json }: { json?: boolean }) =>
      withConnections(async ({ database }) => {
        const runs = await listRuns(await database());
        printResult(json, 'runs', runs, runsText);
      }),
    );
}

function defineShow(command: Command): void {
  command
    .description('Show a run: the status of each stage and the reason for it, checkpoints and evaluations.')
    .argument(...RUN)
    .option(...jsonOption('show'))
    .addHelpText('after', examples('r1 show', 'r1 show nano-zero-1 --json'))
    .action((name: string | undefined, { json }: { json?: boolean }) =>
      withConnections(async ({ database, stack }) => {
        const show = await readShow(await database(), name);
        printResult(json, 'show', show, () => showText(show, workflowUrl(stack, runWorkflowId(show.run))));
      }),
    );
}

function defineSteps(command: Command): void {
  command
    .description('List the committed steps of a run with their metrics, in order.')
    .argument(...RUN)
    .option('--branches', 'include steps of abandoned branches')
    .option(...jsonOption('steps'))
    .addHelpText('after', examples('r1 steps', 'r1 steps nano-zero-1 --json'))
    .action((name: string | undefined, { json, branches }: { json?: boolean; branches?: boolean }) =>
      withConnections(async ({ database }) => {
        const reader = await database();
        const { run } = await findRun(reader, name);
        const steps = await listSteps(reader, run, { branches: branches ? 'all' : 'current' });
        printResult(json, 'steps', steps, stepsText);
      }),
    );
}

type StageDocument = ShowDocument['stages'][number];

export function showText(show: ShowDocument, ui: string | null, now = Date.now()): string {
  const parts = [
    `${show.run}  ·  recipe ${show.recipe}  ·  seed ${show.seed}  ·  ${[show.status, ...placeText(show.place)].join(', ')}  ·  started ${dateTime(show.startedAt)}`,
    stagesText(show, now),
    ...show.stages.flatMap((stage) => stoppedText(show.run, stage)),
    ...rankingsText(show.stages),
    ...linesOf(eventsOf(show).map(({ stage, step, text }) => `${stage} at step ${step}: ${text}`)),
    ...linesOf(show.stages.flatMap(({ stage }) => deletedText(stage, show))),
    ...checkpointsText(show),
    ...(ui === null ? [] : [`In the Temporal UI: ${ui}`]),
  ];
  return parts.join('\n\n');
}

const SHOWN = ['pass@1', 'length', 'language', 'general'] as const;
const HEAD = ['stage', 'from', 'status', 'step', 'time', ...SHOWN, 'digest'];

/** Models that stages start from, if they were evaluated before training; then the stages. */
function stagesText({ stages, evaluations }: ShowDocument, now: number): string {
  const measured = (name: string) => evaluations.findLast(({ stage }) => stage === name) ?? null;
  const given = [...new Set(stages.map(({ origin }) => origin))].filter(
    (origin) => origin !== null && !stages.some(({ stage }) => stage === origin) && measured(origin) !== null,
  );
  const rows = [
    ...given.map((name) => [name ?? '', '', '', '', '', ...metricsOf(SHOWN, measured(name ?? '')), '']),
    ...stages.map((stage) => [
      stage.stage,
      stage.origin ?? '–',
      stage.branch === 0 ? stage.status : `${stage.status}, branch ${stage.branch}`,
      `${stage.step}/${stage.steps}`,
      clock(stageSeconds(stage, now)),
      ...metricsOf(SHOWN, measured(stage.stage)),
      short(stage.checkpoint?.digest ?? null),
    ]),
  ];
  return tableText(HEAD, rows, { gap: 2 });
}

function stageSeconds({ startedAt, finishedAt }: StageDocument, now: number): number | null {
  if (startedAt === null) return null;
  return ((finishedAt === null ? now : Date.parse(finishedAt)) - Date.parse(startedAt)) / 1_000;
}

/** Why a paused or parked stage has stopped, and the commands that continue it. */
function stoppedText(run: string, { stage, status, reason }: StageDocument): string[] {
  const ways = nextCommands(status, run);
  if (ways.length === 0) return [];
  return [`${stage} is ${status}: ${reason ?? 'no reason was recorded'}\n${commandsText(ways)}`];
}

/** One part of several lines, or none. */
const linesOf = (lines: readonly string[]) => (lines.length === 0 ? [] : [lines.join('\n')]);

/** How reward models rank held-out pairs, as one part. */
export const rankingsText = (stages: readonly StageDocument[]): string[] =>
  linesOf(stages.flatMap(({ stage, measure }) => (measure === null ? [] : [rankingLine(stage, measure)])));

/** `reward-model/safety ranks 92.1 % of 200 held-out pairs correctly` */
export const rankingLine = (stage: string, { accuracy, pairs }: NonNullable<StageDocument['measure']>) =>
  `${stage} ranks ${percent(accuracy)} of ${pairs} held-out pairs correctly`;

/** Something out of the ordinary at a step: an alarm, a numerics change, a change of verifiers or of an option. */
interface RunEvent {
  stage: string;
  step: number;
  text: string;
}

export function eventsOf({ alarms, stages }: Pick<ShowDocument, 'alarms' | 'stages'>): RunEvent[] {
  const ofStages = (events: (stage: StageDocument) => Omit<RunEvent, 'stage'>[]) =>
    stages.flatMap((stage) => events(stage).map((event) => ({ stage: stage.stage, ...event })));
  return [
    ...alarms.map((alarm) => ({ stage: alarm.stage, step: alarm.step, text: alarmText(alarm) })),
    ...ofStages(({ seams }) =>
      seams.map((change) => ({ step: change.step, text: `numerics changed, ${numericsChangeText(change)}` })),
    ),
    ...ofStages(({ verifierChanges }) =>
      verifierChanges.map((change) => ({
        step: change.step,
        text: `verifiers changed, ${verifierChangeText(change)}`,
      })),
    ),
    ...ofStages(({ changes }) =>
      changes.map(({ effectiveStep, field, value, author }) => ({
        step: effectiveStep,
        text: `${field} changed to ${value} by ${author}`,
      })),
    ),
  ];
}

export const alarmText = ({ name, action, text }: ShowDocument['alarms'][number]) =>
  `alarm ${name} (${action}): ${text}`;

/** `zero: of 12 checkpoints 9 are deleted, @20 to @180: not among …; @200 @220 @240 are kept` */
function deletedText(stage: string, { checkpoints }: ShowDocument): string[] {
  const ofStage = checkpoints.filter((each) => each.stage === stage);
  const gone = ofStage.filter(({ deleted }) => deleted !== null);
  const [first, last] = [gone[0], gone.at(-1)];
  if (first === undefined || last === undefined) return [];
  const name = ({ branch, step }: typeof first) => `@${step}${branch === 0 ? '' : ` (branch ${branch})`}`;
  const kept = ofStage.filter(({ deleted }) => deleted === null).map(name);
  return [
    `${stage}: of ${ofStage.length} checkpoints ${gone.length} are deleted, ${name(first)} to ${name(last)}: ` +
      `${last.deleted?.reason}; kept: ${kept.join(' ')}`,
  ];
}

/** How commands name a checkpoint, and the URI of the run's final one. */
function checkpointsText({ run, stages }: ShowDocument): string[] {
  const product = productOf(stages);
  if (product?.checkpoint == null) return [];
  return [
    `Checkpoints are named ${run}/STAGE or ${run}/STAGE@STEP; that of ${product.stage}:\n${product.checkpoint.uri}`,
  ];
}

export function runsText(runs: RunsDocument): string {
  if (runs.length === 0) return 'No run yet. Launch one: `r1 launch recipes/nano-zero.yaml`.';
  const rows = runs.map(({ run, recipe, status, startedAt, place }) => [
    run,
    recipe,
    [status, ...placeText(place)].join(', '),
    dateTime(startedAt),
  ]);
  return tableText(['run', 'recipe', 'status', 'started'], rows);
}

/** The run's place in the queue for a trainer. */
const placeText = (place: number | null): string[] =>
  place === null ? [] : [`${place === 1 ? 'next' : `place ${place}`} in the queue for a trainer`];

export function stepsText(steps: readonly StepDocument[]): string {
  if (steps.length === 0) return 'No step yet.';
  const rows = steps.map((step) => [
    step.stage,
    String(step.step),
    decimal(step.reward),
    percent(step.accuracy),
    decimal(step.meanLength, 1),
    decimal(step.loss, 4),
    decimal(step.kl, 4),
    decimal(step.entropy),
    decimal(step.gradNorm),
    percent(step.clipFraction, 2),
    step.learningRate.toExponential(1),
    secondsOf(step).toFixed(1),
    short(step.digestAfter),
    step.seam ? 'numerics changed' : '',
  ]);
  return tableText(STEP_HEAD, rows, { gap: 2 });
}

const STEP_HEAD = [
  ...[
    'stage',
    'step',
    'reward',
    'accuracy',
    'length',
    'loss',
    'kl',
    'entropy',
    'grad',
    'clipped',
    'rate',
    's',
  ],
  ...['digest', ''],
];

/** Duration of a step. */
export function secondsOf(step: StepDocument): number {
  return step.secondsSampling + step.secondsScoring + step.secondsTraining + step.secondsOther;
}

/** The stage with the run's final checkpoint: the last of those that lead to R1, else the last of all. */
export function productOf(stages: readonly StageDocument[]): StageDocument | undefined {
  const saved = stages.filter(({ checkpoint }) => checkpoint !== null);
  return saved.findLast(({ stage }) => !besideRoles.includes(roleOf(stage))) ?? saved.at(-1);
}

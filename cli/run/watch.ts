/** `r1 watch`: polls a run's rows until it ends or parks. Its workflow is queried only for the current phase. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { commandsText, nextCommands } from '../../algorithm/run/next-commands.ts';
import type { EvaluationDocument, ShowDocument, StepDocument } from '../../contracts/documents.ts';
import { Failure } from '../../contracts/failures.ts';
import type { StageKey } from '../../contracts/identity.ts';
import type { StageProgress } from '../../contracts/workflows.ts';
import { listSteps } from '../../stores/steps/steps.ts';
import { CommandError, Interrupted, messageOf } from '../errors.ts';
import { interruptible } from '../interrupts.ts';
import { decimal, percent, percentInterval } from '../output/figures.ts';
import { examples, printLine, RUN } from '../output/output.ts';
import { type Connections, withConnections } from '../stack/connections.ts';
import { readFinalReport } from './final-report.ts';
import { createLiveLine, type LiveLine } from './live-line.ts';
import { progressMilestone, progressText, type StageSnapshot } from './progress-text.ts';
import { currentStage, findRun, readShow } from './run-rows.ts';
import { alarmText, rankingLine } from './show.ts';
import { queryProgress } from './workflow-client.ts';

export const commands = { watch: defineWatch };

function defineWatch(command: Command): void {
  command
    .description(
      'Follow a run as it trains, until it is complete or parked. Ctrl-C stops watching, not the run. ' +
        'pass@1 is from the last evaluation and shown with its step.',
    )
    .argument(...RUN)
    .addHelpText('after', examples('r1 watch', 'r1 watch nano-zero-1'))
    .action((name: string | undefined) =>
      withConnections(async (connections) => {
        const { run } = await findRun(await connections.database(), name);
        await watchOrLeave(connections, run);
      }),
    );
}

/** Watches a run and prints its final report. Ctrl-C ends the command and leaves the run alone. */
export async function watchOrLeave(connections: Connections, run: string): Promise<void> {
  await interruptible(
    (signal) => watchRun(connections, run, signal),
    () => `Stopped watching. ${run} continues; watch it with \`r1 watch ${run}\`.`,
  );
  printLine(`\n${await readFinalReport(await connections.database(), run)}`);
}

/**
 * Shows a run's live line until it is complete. Throws CommandError with the reason where it is aborted or parked,
 * Interrupted when the signal is aborted.
 */
export async function watchRun(
  connections: Connections,
  run: string,
  signal: AbortSignal,
): Promise<ShowDocument> {
  const source = await sourceOf(connections, run);
  const ended = await followRun(source, { line: createLiveLine(), signal });
  const parked = parkedReason(ended);
  if (parked !== null) {
    throw new CommandError(
      `${run} is parked and waits for an operator. ${parked}\n` +
        `Fix the cause; then ${commandsText(nextCommands('parked', run))}`,
    );
  }
  if (ended.status === 'aborted') throw new CommandError(`${run} was aborted; its checkpoints are kept.`);
  return ended;
}

async function sourceOf({ database, temporal }: Connections, run: string): Promise<RunSource> {
  const db = await database();
  return {
    show: () => readShow(db, run, { quick: true }),
    recentSteps: (stage, after) => listSteps(db, run, { stage, after }),
    progress: async (key) => queryProgress(await temporal(), key),
  };
}

/** What a watched run is read from. */
export interface RunSource {
  show(): Promise<ShowDocument>;
  /** the steps after this one of a stage's current branch, oldest first */
  recentSteps(stage: string, after: number): Promise<StepDocument[]>;
  /** the phase of the stage's workflow; null where it does not answer in time */
  progress(key: StageKey): Promise<StageProgress | null>;
}

interface FollowOptions {
  line: LiveLine;
  /** aborted by Ctrl-C */
  signal: AbortSignal;
  pollMilliseconds?: number;
}

/** The live line shows the mean speed of this many steps. */
const RECENT_STEPS = 8;

/**
 * Shows a run's live line until it is complete, aborted or parked, and returns its last state. A database
 * that is unavailable is waited for. Throws Interrupted when the signal is aborted.
 */
export async function followRun(
  source: RunSource,
  { line, signal, pollMilliseconds = 500 }: FollowOptions,
): Promise<ShowDocument> {
  const announce = announcer(line);
  const phase = phaseReader(source);
  let unavailable = false;
  try {
    for (;;) {
      if (signal.aborted) throw new Interrupted('');
      const seen = await poll(source, phase.read).catch(retryable);
      if (unavailable !== seen instanceof Failure) announceAvailability(line, seen);
      unavailable = seen instanceof Failure;
      if (!(seen instanceof Failure)) {
        announce(seen.show);
        if (seen.show.status === 'complete') return seen.show;
        line.show(progressText(seen.snapshots), progressMilestone(seen.snapshots));
        if (seen.show.status === 'aborted' || parkedReason(seen.show) !== null) return seen.show;
      }
      await sleep(pollMilliseconds, undefined, { signal }).catch(() => undefined);
    }
  } finally {
    line.end();
    await phase.settled();
  }
}

interface Seen {
  show: ShowDocument;
  /** of the current stages */
  snapshots: StageSnapshot[];
}

async function poll(source: RunSource, phase: ReadPhase): Promise<Seen> {
  const show = await source.show();
  const snapshots = await Promise.all(
    currentStages(show).map((stage) => snapshotOf(source, phase, show, stage)),
  );
  return { show, snapshots };
}

async function snapshotOf(
  source: RunSource,
  phase: ReadPhase,
  { run, evaluations }: ShowDocument,
  { stage, algorithm, origin, step, steps }: ShowDocument['stages'][number],
): Promise<StageSnapshot> {
  const recent = await source.recentSteps(stage, step - RECENT_STEPS);
  const progress = phase({ run, stage });
  const measured = (name: string | null) => evaluations.findLast((found) => found.stage === name);
  return {
    stage,
    algorithm,
    step,
    steps,
    recent,
    evaluation: measured(stage) ?? measured(origin) ?? null,
    phase: progress === null ? null : progress?.phase,
    detail: progress?.detail ?? '',
  };
}

/** The stages that run side by side. Where none runs, the next one or the last. */
function currentStages(show: ShowDocument): ShowDocument['stages'] {
  const started = show.stages.filter(({ status }) => STARTED.has(status));
  const current = currentStage(show);
  return started.length > 0 || current === undefined ? started : [current];
}

const STARTED: ReadonlySet<string> = new Set(['running', 'paused', 'parked']);

/** Why a run is parked; null where it is not. */
function parkedReason(show: ShowDocument): string | null {
  const parked = show.stages.find(({ status }) => status === 'parked');
  if (parked !== undefined) return `${parked.stage}: ${parked.reason ?? 'no reason was recorded'}`;
  return show.status === 'parked' ? 'no reason was recorded' : null;
}

/** undefined before the first answer; null where there was none in time */
type ReadPhase = (key: StageKey) => StageProgress | null | undefined;

interface PhaseReader {
  read: ReadPhase;
  /** resolves when no query is pending, so that the connection can be closed */
  settled(): Promise<void>;
}

/** Queries workflows without delaying the polling; until an answer comes the previous one is used. */
function phaseReader(source: RunSource): PhaseReader {
  const latest = new Map<string, StageProgress | null>();
  const pending = new Map<string, Promise<void>>();
  const ask = async (key: StageKey) => {
    latest.set(key.stage, await source.progress(key).catch(() => null));
    pending.delete(key.stage);
  };
  return {
    read: (key) => {
      if (!pending.has(key.stage)) pending.set(key.stage, ask(key));
      return latest.get(key.stage);
    },
    settled: async () => {
      await Promise.all(pending.values());
    },
  };
}

function retryable(error: unknown): Failure {
  if (error instanceof Failure && error.retryable) return error;
  throw error;
}

function announceAvailability(line: LiveLine, seen: Seen | Failure): void {
  line.say(seen instanceof Failure ? `waiting: ${messageOf(seen)}` : 'the database answers again');
}

interface Announcement {
  /** each name is announced once */
  name: string;
  text: string;
}

/** Prints each new evaluation, ranking and alarm once; those before the first poll are not printed. */
function announcer(line: LiveLine): (show: ShowDocument) => void {
  let known: Set<string> | undefined;
  return (show) => {
    const all = announcementsOf(show);
    const news = known === undefined ? [] : all.filter(({ name }) => !known?.has(name));
    known = new Set(all.map(({ name }) => name));
    for (const { text } of news) line.say(text);
  };
}

const announcementsOf = ({ evaluations, stages, alarms }: ShowDocument): Announcement[] => [
  ...evaluations.map((evaluation) => ({
    name: `${evaluation.stage}@${evaluation.step}×${evaluation.problems}`,
    text: evaluationLine(evaluation),
  })),
  ...stages.flatMap(({ stage, measure }) =>
    measure === null ? [] : [{ name: `${stage} ranks`, text: rankingLine(stage, measure) }],
  ),
  ...alarms.map((alarm) => ({
    name: `${alarm.stage}/${alarm.branch}@${alarm.step} ${alarm.name}`,
    text: `${alarm.stage} at step ${alarm.step}: ${alarmText(alarm)}`,
  })),
];

/** `zero at step 20: pass@1 41.2 % (38.0–44.4 %), length 31.0, format 99 %, reflects 20 % (64 × 4 samples)` */
function evaluationLine(evaluation: EvaluationDocument): string {
  const { stage, step, problems, k, languageConsistency, generalAbility } = evaluation;
  const figures = [
    `pass@1 ${percent(evaluation.passAt1)} (${percentInterval(evaluation.passAt1Interval)})`,
    `length ${decimal(evaluation.meanLength, 1)}`,
    `format ${percent(evaluation.formatRate, 0)}`,
    `reflects ${percent(evaluation.reflectionRate, 0)}`,
    ...(languageConsistency === null ? [] : [`language ${percent(languageConsistency, 0)}`]),
    ...(generalAbility === null ? [] : [`general ${percent(generalAbility, 0)}`]),
  ];
  return `${stage} at step ${step}: ${figures.join(', ')} (${problems} × ${k} samples)`;
}

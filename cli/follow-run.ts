/** Follows a run by its rows until it ends or parks: the rows are the authority, the workflow adds what it is doing. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { RaisedAlarm } from '../contracts/alarms.ts';
import type { EvaluationDocument, ShowDocument, StepDocument } from '../contracts/documents.ts';
import { Failure } from '../contracts/failures.ts';
import type { StageKey } from '../contracts/identity.ts';
import type { StageProgress } from '../contracts/workflows.ts';
import { Interrupted, messageOf } from './errors.ts';
import { decimal, percent, percentInterval } from './figures.ts';
import type { LiveLine } from './live-line.ts';
import { progressText, type StageSnapshot } from './progress-text.ts';

/** Where a followed run is read from. */
export interface RunSource {
  show(): Promise<ShowDocument>;
  /** the steps after this one of a stage's current branch, oldest first */
  recentSteps(stage: string, after: number): Promise<StepDocument[]>;
  /** what the stage's workflow says it is doing; null where it does not answer in time */
  progress(key: StageKey): Promise<StageProgress | null>;
}

export interface FollowOptions {
  line: LiveLine;
  /** aborted by Ctrl-C */
  signal: AbortSignal;
  pollMilliseconds?: number;
}

/** Steps whose mean pace the line shows. */
const RECENT = 8;

/**
 * Shows a run's live line until it is complete, aborted or parked, and returns its last state. A database
 * that is away is waited for. Throws Interrupted when the signal says so.
 */
export async function followRun(
  source: RunSource,
  { line, signal, pollMilliseconds = 500 }: FollowOptions,
): Promise<ShowDocument> {
  const announce = announcer(line);
  const phase = phaseReader(source);
  let away = false;
  try {
    for (;;) {
      if (signal.aborted) throw new Interrupted('');
      const seen = await look(source, phase.read).catch(whileAway);
      if (away !== seen instanceof Failure) announceAway(line, seen);
      away = seen instanceof Failure;
      if (!(seen instanceof Failure)) {
        announce(seen.show);
        if (seen.snapshot !== null) line.show(progressText(seen.snapshot));
        if (hasEnded(seen.show)) return seen.show;
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
  /** null before the first stage has begun */
  snapshot: StageSnapshot | null;
}

async function look(source: RunSource, phase: ReadPhase): Promise<Seen> {
  const show = await source.show();
  const stage = currentStage(show);
  if (stage === undefined) return { show, snapshot: null };
  const recent = await source.recentSteps(stage.stage, stage.step - RECENT);
  const progress = phase({ run: show.run, stage: stage.stage });
  const { step, steps } = stage;
  const snapshot: StageSnapshot = {
    stage: stage.stage,
    step,
    steps,
    recent,
    evaluation: lastEvaluation(show, stage.stage),
    phase: progress?.phase ?? null,
    detail: progress?.detail ?? '',
  };
  return { show, snapshot };
}

/** The first stage that is not complete, or the last. */
export function currentStage(show: ShowDocument): ShowDocument['stages'][number] | undefined {
  return show.stages.find(({ status }) => status !== 'complete') ?? show.stages.at(-1);
}

/** The reason why a run is parked; null where it is not. */
export function parkedReason(show: ShowDocument): string | null {
  const parked = show.stages.find(({ status }) => status === 'parked');
  if (parked !== undefined) return `${parked.stage}: ${parked.reason ?? 'no reason was recorded'}`;
  return show.status === 'parked' ? 'no reason was recorded' : null;
}

function hasEnded(show: ShowDocument): boolean {
  return show.status === 'complete' || show.status === 'aborted' || parkedReason(show) !== null;
}

/** The newest evaluation of the stage, else the base's. */
function lastEvaluation({ evaluations }: ShowDocument, stage: string): EvaluationDocument | null {
  return evaluations.findLast((evaluation) => evaluation.stage === stage) ?? evaluations.at(-1) ?? null;
}

/** Tells each evaluation and each alarm once, as a line that stays; what was there before is not told. */
function announcer(line: LiveLine): (show: ShowDocument) => void {
  let known: Set<string> | undefined;
  return ({ evaluations, alarms }) => {
    const told = [
      ...evaluations.map((evaluation) => ({
        name: evaluationName(evaluation),
        text: evaluationLine(evaluation),
      })),
      ...alarms.map((alarm) => ({ name: alarmName(alarm), text: alarmLine(alarm) })),
    ];
    const news = known === undefined ? [] : told.filter(({ name }) => !known?.has(name));
    known = new Set(told.map(({ name }) => name));
    for (const { text } of news) line.say(text);
  };
}

const evaluationName = ({ stage, step, problems }: EvaluationDocument) => `${stage}@${step}×${problems}`;
const alarmName = ({ stage, branch, step, name }: RaisedAlarm) => `${stage}/${branch}@${step} ${name}`;

/** `zero at step 20: alarm no-variance (note): …` */
const alarmLine = ({ stage, step, name, action, text }: RaisedAlarm) =>
  `${stage} at step ${step}: alarm ${name} (${action}): ${text}`;

/** `zero at step 20: pass@1 41.2 % (38.0–44.4 %), format 99.1 %, length 31.0, reflects 20.3 % (64 problems × 4)` */
function evaluationLine(evaluation: EvaluationDocument): string {
  const { stage, step, problems, k } = evaluation;
  const figures = [
    `pass@1 ${percent(evaluation.passAt1)} (${percentInterval(evaluation.passAt1Interval)})`,
    `format ${percent(evaluation.formatRate)}`,
    `length ${decimal(evaluation.meanLength, 1)}`,
    `reflects ${percent(evaluation.reflectionRate)}`,
  ];
  return `${stage} at step ${step}: ${figures.join(', ')} (${problems} problems × ${k})`;
}

type ReadPhase = (key: StageKey) => StageProgress | null;

interface PhaseReader {
  read: ReadPhase;
  /** no question is under way any more: the connection may be closed */
  settled(): Promise<void>;
}

/** Asks the workflow beside the polling, never making it wait; the last answer stands meanwhile. */
function phaseReader(source: RunSource): PhaseReader {
  let latest: StageProgress | null = null;
  let asking: Promise<void> | null = null;
  const ask = async (key: StageKey) => {
    latest = await source.progress(key).catch(() => null);
    asking = null;
  };
  return {
    read: (key) => {
      asking ??= ask(key);
      return latest?.key.stage === key.stage ? latest : null;
    },
    settled: async () => {
      await asking;
    },
  };
}

function whileAway(error: unknown): Failure {
  if (error instanceof Failure && error.retryable) return error;
  throw error;
}

function announceAway(line: LiveLine, seen: Seen | Failure): void {
  line.say(seen instanceof Failure ? `waiting: ${messageOf(seen)}` : 'the database answers again');
}

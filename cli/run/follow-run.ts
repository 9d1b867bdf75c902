/** Follows a run by its rows until it ends or parks: the rows are the authority, the workflow adds what it is doing. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ShowDocument, StepDocument } from '../../contracts/documents.ts';
import { Failure } from '../../contracts/failures.ts';
import type { StageKey } from '../../contracts/identity.ts';
import type { StageProgress } from '../../contracts/workflows.ts';
import { Interrupted, messageOf } from '../errors.ts';
import { announcer } from './announcements.ts';
import type { LiveLine } from './live-line.ts';
import { progressMilestone, progressText, type StageSnapshot } from './progress-text.ts';

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
        if (seen.show.status === 'complete') return seen.show;
        line.show(progressText(seen.snapshots), progressMilestone(seen.snapshots));
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
  /** of the stages under way */
  snapshots: StageSnapshot[];
}

async function look(source: RunSource, phase: ReadPhase): Promise<Seen> {
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
  const recent = await source.recentSteps(stage, step - RECENT);
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

/** The stages that are under way, side by side; where none is, the one that is next or was last. */
function currentStages(show: ShowDocument): ShowDocument['stages'] {
  const underWay = show.stages.filter(({ status }) => UNDER_WAY.has(status));
  const current = currentStage(show);
  return underWay.length > 0 || current === undefined ? underWay : [current];
}

const UNDER_WAY: ReadonlySet<string> = new Set(['running', 'paused', 'parked']);

/** The first stage that waits for an operator, else the first that is not complete, or the last. */
export function currentStage({ stages }: ShowDocument): ShowDocument['stages'][number] | undefined {
  return (
    stages.find(({ status }) => status === 'parked') ??
    stages.find(({ status }) => status === 'paused') ??
    stages.find(({ status }) => status !== 'complete') ??
    stages.at(-1)
  );
}

/** The reason why a run is parked; null where it is not. */
export function parkedReason(show: ShowDocument): string | null {
  const parked = show.stages.find(({ status }) => status === 'parked');
  if (parked !== undefined) return `${parked.stage}: ${parked.reason ?? 'no reason was recorded'}`;
  return show.status === 'parked' ? 'no reason was recorded' : null;
}

/** Otherwise than complete. */
function hasEnded(show: ShowDocument): boolean {
  return show.status === 'aborted' || parkedReason(show) !== null;
}

/** undefined: not asked yet; null: no answer */
type ReadPhase = (key: StageKey) => StageProgress | null | undefined;

interface PhaseReader {
  read: ReadPhase;
  /** no question is under way any more: the connection may be closed */
  settled(): Promise<void>;
}

/** Asks workflows beside the polling, never making it wait; the last answer of each stands meanwhile. */
function phaseReader(source: RunSource): PhaseReader {
  const latest = new Map<string, StageProgress | null>();
  const asking = new Map<string, Promise<void>>();
  const ask = async (key: StageKey) => {
    latest.set(key.stage, await source.progress(key).catch(() => null));
    asking.delete(key.stage);
  };
  return {
    read: (key) => {
      if (!asking.has(key.stage)) asking.set(key.stage, ask(key));
      return latest.get(key.stage);
    },
    settled: async () => {
      await Promise.all(asking.values());
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

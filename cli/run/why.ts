/** `r1 why`: what a run is waiting for. The first rule that applies decides. */
import type { Command } from 'commander';
import { commandsText, nextCommands } from '../../algorithm/run/next-commands.ts';
import type { ShowDocument, WhyDocument } from '../../contracts/documents.ts';
import { fullDiskText } from '../../infra/machine/disks.ts';
import { findStack } from '../../infra/stack.ts';
import { duration } from '../output/figures.ts';
import { examples, jsonOption, printDocument, printLine, RUN } from '../output/output.ts';
import { withConnections } from '../stack/connections.ts';
import { currentStage } from './run-rows.ts';
import { gatherFacts, type PendingCall, type WhyFacts, type WorkflowFacts } from './why-facts.ts';

export const commands = { why: defineWhy };

function defineWhy(command: Command): void {
  command
    .description(
      'Explain what a run is waiting for: stage and phase, since when, which worker or server is missing, and what ' +
        'to do. Also answers when servers are unavailable.',
    )
    .argument(...RUN)
    .option(...jsonOption('why'))
    .addHelpText('after', examples('r1 why', 'r1 why nano-zero-1 --json'))
    .action(async (name: string | undefined, { json }: { json?: boolean }) => {
      const why = await ask(name);
      if (json) printDocument('why', why);
      else printLine(why.text);
    });
}

async function ask(name: string | undefined): Promise<WhyDocument> {
  const stack = findStack();
  if (stack === undefined) return withoutStack(name);
  return withConnections(async (connections) => whyOf(await gatherFacts(connections, name)), stack);
}

type Reason = Pick<WhyDocument, 'waitsFor' | 'text'> & Partial<Pick<WhyDocument, 'since' | 'ways'>>;
type Rule = (facts: Known) => Reason | null;

/** The facts, with values that many rules need. */
interface Known extends WhyFacts {
  /** name of the run in messages */
  name: string;
  show: ShowDocument | null;
  stage: ShowDocument['stages'][number] | null;
  workflow: WorkflowFacts | null;
}

/** What a run is waiting for, or what it is doing. */
export function whyOf(facts: WhyFacts): WhyDocument {
  const show = 'value' in facts.rows ? facts.rows.value.show : null;
  const stage = (show && currentStage(show)) ?? null;
  const workflow = 'value' in facts.temporal ? facts.temporal.value : null;
  const known = { ...facts, show, stage, workflow, name: facts.run ?? 'the run' };
  const [reason] = RULES.flatMap((rule) => rule(known) ?? []);
  return whyDocument(facts.run, { show, stage }, reason ?? working(known));
}

/** The answer where not even the supervisor runs. */
export function withoutStack(run: string | undefined): WhyDocument {
  const resume = run === undefined ? 'r1 resume' : `r1 resume ${run}`;
  return whyDocument(
    run ?? null,
    { show: null, stage: null },
    {
      waitsFor: 'stack',
      text: `${capital(run ?? 'the run')} waits for the stack, which does not run here: no server answers and no worker runs. Everything committed is kept.`,
      ways: [
        { command: 'r1 up', does: 'starts it' },
        { command: resume, does: 'then continues the run, if its workflow does not' },
      ],
    },
  );
}

function whyDocument(
  run: string | null,
  { show, stage }: Pick<Known, 'show' | 'stage'>,
  { waitsFor, text, since = null, ways = [] }: Reason,
): WhyDocument {
  return {
    ...{ run, status: show?.status ?? null },
    ...{ stage: stage?.stage ?? null, step: stage?.step ?? null, steps: stage?.steps ?? null },
    ...{ waitsFor, since, text: ways.length === 0 ? text : `${text} ${commandsText(ways)}`, ways },
  };
}

const SHOW_PROCESSES = { command: 'r1 status', does: 'shows which processes run' };
const START_WORKERS = { command: 'r1 up', does: 'starts the workers of this machine' };

const RULES: readonly Rule[] = [
  diskFull,
  databaseAway,
  ended,
  temporalAway,
  objectsAway,
  workflowGone,
  stopped,
  noOrchestrator,
  queued,
  noTrainer,
  noRewards,
  noScorer,
  retried,
];

/** Checked before the servers, as a full disk makes them fail in many ways. */
function diskFull(known: Known): Reason | null {
  const { name, fullDisks, show } = known;
  if (fullDisks.length === 0 || (show !== null && show.status !== 'running')) return null;
  const disks = fullDisks.map(fullDiskText).join('; ');
  return {
    waitsFor: 'disk',
    text: `${capital(name)} waits for disk space: ${disks}. Nothing committed is lost. ${stateText(known)}`.trim(),
    ways: [SHOW_PROCESSES],
  };
}

function databaseAway({ name, rows, temporal, workflow }: Known): Reason | null {
  if (!('error' in rows)) return null;
  const other =
    workflow === null
      ? ` ${'error' in temporal ? sentence(temporal.error) : ''}`
      : ' Temporal answers; the workflow continues when the rows can be written again.';
  return {
    waitsFor: 'database',
    text: `${capital(name)} waits for PostgreSQL, which has its rows; nothing can be committed without it. ${sentence(rows.error)}${other}`,
    ways: [SHOW_PROCESSES],
  };
}

function ended({ show, stage, name }: Known): Reason | null {
  if (show?.status !== 'complete' && show?.status !== 'aborted') return null;
  const reached = stage === null ? '' : ` ${stage.stage} reached step ${stage.step} of ${stage.steps}.`;
  return {
    waitsFor: 'nothing',
    text: `${name} waits for nothing: it is ${show.status}.${reached}`,
    ways: [{ command: `r1 show ${name}`, does: 'shows its results' }],
  };
}

function temporalAway(known: Known): Reason | null {
  if (!('error' in known.temporal)) return null;
  return {
    waitsFor: 'temporal',
    text: `${known.name} waits for Temporal, which runs its workflow. ${sentence(known.temporal.error)} ${stateText(known)}`,
    ways: [
      SHOW_PROCESSES,
      {
        command: `r1 resume ${known.name}`,
        does: 'continues from the rows if the server comes back without the workflow',
      },
    ],
  };
}

function objectsAway(known: Known): Reason | null {
  if (!('error' in known.objects)) return null;
  return {
    waitsFor: 'objects',
    text: `${known.name} waits for S3, which has its batches and checkpoints. ${sentence(known.objects.error)} ${stateText(known)}`,
    ways: [SHOW_PROCESSES],
  };
}

function workflowGone(known: Known): Reason | null {
  if (known.workflow?.run !== false || known.workflow.stage) return null;
  return {
    waitsFor: 'workflow',
    text: `${known.name} waits for its workflow, which is gone: this Temporal server does not run it. ${stateText(known)}`,
    ways: [
      { command: `r1 resume ${known.name}`, does: 'continues from the rows' },
      { command: `r1 abort ${known.name}`, does: 'ends it' },
    ],
  };
}

function stopped({ name, stage, workflow, now }: Known): Reason | null {
  if (stage?.status !== 'paused' && stage?.status !== 'parked') return null;
  const since = workflow?.progress?.since;
  const why = stage.reason ?? 'no reason was recorded';
  const text =
    stage.status === 'paused'
      ? `${name} waits for an operator: ${stage.stage} is paused ${why}${ago(since, now)}, and its trainer is released.`
      : `${name} waits for an operator: ${stage.stage} is parked at step ${stage.step} of ${stage.steps}${ago(since, now)}. ${sentence(why)}`;
  return { waitsFor: 'operator', text, since, ways: nextCommands(stage.status, name) };
}

function noOrchestrator(known: Known): Reason | null {
  const { workflow, now } = known;
  if (workflow === null) return null;
  if (workflow.served.orchestrator && !isLong(workflow.silentSince, now)) return null;
  return {
    waitsFor: 'orchestrator',
    text: `${known.name} waits for an orchestrator: no worker of the task queue r1 answers. ${processesText(known, 'orchestrator')} ${stateText(known)}`,
    ways: [START_WORKERS],
  };
}

const releaseTrainer = (run: string) => ({ command: `r1 pause ${run}`, does: 'releases its trainer' });

/** Runs that were launched earlier come first. */
function queued(known: Known): Reason | null {
  const call = known.workflow?.pending.find(({ activity }) => activity === 'awaitTurn');
  if (call === undefined || call.lastFailure === null) return null;
  const { others } = 'value' in known.rows ? known.rows.value : { others: [] };
  return {
    waitsFor: 'trainer',
    since: call.scheduledAt,
    text: `${known.name} waits for a trainer${ago(call.scheduledAt, known.now)}: ${position(known)} ${sentence(call.lastFailure)} Each free trainer takes the next stage of the queue.`,
    ways: others.map(releaseTrainer),
  };
}

function noTrainer(known: Known): Reason | null {
  const call = waiting(known, TRAINER_CALLS);
  if (call === undefined) return null;
  if (known.workflow?.served.trainer && !isLong(call.scheduledAt, known.now)) return null;
  const { others } = 'value' in known.rows ? known.rows.value : { others: [] };
  const held = others.length === 0 ? '' : ` Running, and possibly using one: ${others.join(', ')}.`;
  return {
    waitsFor: 'trainer',
    since: call.scheduledAt,
    text: `${known.name} waits for a trainer${ago(call.scheduledAt, known.now)}: ${position(known)} no free one takes it from the task queue train. ${processesText(known, 'trainer')}${held}`,
    ways: [START_WORKERS, ...others.map(releaseTrainer)],
  };
}

function noRewards(known: Known): Reason | null {
  const call = waiting(known, REWARD_CALLS);
  if (call === undefined) return null;
  if (known.workflow?.served.rewards && !isLong(call.scheduledAt, known.now)) return null;
  return {
    waitsFor: 'rewards',
    since: call.scheduledAt,
    text: `${known.name} waits for a reward worker${ago(call.scheduledAt, known.now)}: ${position(known)} none takes its completions from the task queue rewards. ${processesText(known, 'rewards')}`,
    ways: [START_WORKERS],
  };
}

/** One that scores for another reward model, or for another run, is free for the next call soon. */
function noScorer(known: Known): Reason | null {
  const call = waiting(known, SCORE_CALLS);
  if (call === undefined) return null;
  const isBusy = known.workflow?.pending.some(({ activity, started }) => started && activity === 'score');
  if (known.workflow?.served.score && (isBusy || !isLong(call.scheduledAt, known.now))) return null;
  return {
    waitsFor: 'rewards',
    since: call.scheduledAt,
    text: `${known.name} waits for a worker that scores with reward models${ago(call.scheduledAt, known.now)}: ${position(known)} no free one takes it from the task queue score. ${processesText(known, 'rewards')}`,
    ways: [START_WORKERS],
  };
}

function retried(known: Known): Reason | null {
  const call = known.workflow?.pending.find(({ lastFailure }) => lastFailure !== null);
  if (call?.lastFailure == null) return null;
  return {
    waitsFor: 'another-try',
    since: call.scheduledAt,
    text: `${known.name} retries ${call.activity} (attempt ${call.attempt})${ago(call.scheduledAt, known.now)}: ${position(known)} ${sentence(call.lastFailure)}`,
  };
}

function working(known: Known): Reason {
  const { name, workflow, now } = known;
  const progress = workflow?.progress;
  if (!progress)
    return {
      waitsFor: 'work',
      text: `${name} is running; its workflow did not report its phase. ${stateText(known)}`,
    };
  const { phase, detail, since, wish } = progress;
  const requested =
    wish === null
      ? ''
      : ` ${wish.author ?? 'An operator'} has requested ${wish.kind} after the current step.`;
  return {
    waitsFor: 'work',
    since,
    text: `${name} is working: ${position(known)} ${phase}${detail === '' ? '' : ` (${detail})`}${ago(since, now)}. ${workersText(known)}${requested}`,
  };
}

/** Activities of trainers and of reward workers; all others run in the orchestrator. */
const TRAINER_CALLS = ['acquire'];
const REWARD_CALLS = [
  'scoreRollout',
  'prepareScoring',
  'addModelVerdicts',
  'prepareRanking',
  'rankPreferences',
];
const SCORE_CALLS = ['score'];

/** A free worker takes an activity faster than this. */
const TAKEN_SECONDS = 5;

const isLong = (since: string | null, now: number) =>
  since !== null && now - Date.parse(since) > 1000 * TAKEN_SECONDS;

/** An activity that no worker has started. */
const waiting = ({ workflow }: Known, names: readonly string[]): PendingCall | undefined =>
  workflow?.pending.find(({ activity, started }) => !started && names.includes(activity));

/** `zero is at step 3 of 60,` */
const position = ({ stage }: Known) =>
  stage === null ? '' : `${stage.stage} is at step ${stage.step} of ${stage.steps},`;

const stateText = ({ show, stage }: Known) =>
  stage === null
    ? ''
    : `Its rows say ${show?.status}: ${stage.stage} ${stage.status}, step ${stage.step} of ${stage.steps}.`;

/** The states of the local processes with a role. */
function processesText({ processes }: Known, role: string): string {
  const found = processes.filter((process) => process.role === role);
  if (found.length === 0) return `This machine runs no ${role}.`;
  const states = found.map(
    ({ name, state, restarts }) =>
      `${name} is ${state}${restarts > 0 ? `, restarted ${restarts === 1 ? 'once' : `${restarts} times`}` : ''}`,
  );
  return `On this machine ${states.join('; ')}.`;
}

/** The states of this machine's workers. */
function workersText({ processes }: Known): string {
  const workers = processes.filter(({ role }) => ['orchestrator', 'trainer', 'rewards'].includes(role));
  if (workers.length === 0) return 'Its workers run elsewhere.';
  const alive = workers.filter(({ state }) => state === 'running').map(({ name }) => name);
  const down = workers
    .filter(({ state }) => state !== 'running')
    .map(({ name, state }) => `${name} is ${state}`);
  return `${[`Alive: ${alive.join(', ') || 'none'}`, ...down].join('; ')}.`;
}

function ago(since: string | null | undefined, now: number): string {
  return since == null ? '' : `, for ${duration((now - Date.parse(since)) / 1000)}`;
}

const sentence = (text: string) => (/[.!?]$/.test(text.trim()) ? text.trim() : `${text.trim()}.`);
const capital = (text: string) => (text === 'the run' ? 'The run' : text);

/** What a run waits for, decided from what its servers answered: the first rule that holds tells it. */
import type { Command } from 'commander';
import { waysOn, waysText } from '../../algorithm/run/next-commands.ts';
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
      'Tells in a paragraph what a run waits for: which stage and phase, since when, which worker or server is ' +
        'missing, and what can be done. Answers also when servers are away.',
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

type Because = Pick<WhyDocument, 'waitsFor' | 'text'> & Partial<Pick<WhyDocument, 'since' | 'ways'>>;
type Rule = (facts: Known) => Because | null;

/** The facts, with what the rules read most laid open. */
interface Known extends WhyFacts {
  /** how messages name the run */
  name: string;
  show: ShowDocument | null;
  stage: ShowDocument['stages'][number] | null;
  workflow: WorkflowFacts | null;
}

/** Why a run does not get on, or what it is getting on with. */
export function whyOf(facts: WhyFacts): WhyDocument {
  const show = 'value' in facts.rows ? facts.rows.value.show : null;
  const stage = (show && currentStage(show)) ?? null;
  const workflow = 'value' in facts.temporal ? facts.temporal.value : null;
  const known = { ...facts, show, stage, workflow, name: facts.run ?? 'the run' };
  const [because] = RULES.flatMap((rule) => rule(known) ?? []);
  const { waitsFor, text, since = null, ways = [] } = because ?? working(known);
  return {
    run: facts.run,
    status: show?.status ?? null,
    stage: stage?.stage ?? null,
    step: stage?.step ?? null,
    steps: stage?.steps ?? null,
    waitsFor,
    since,
    text: ways.length === 0 ? text : `${text} ${waysText(ways)}`,
    ways,
  };
}

/** The answer where not even a supervisor runs. */
export function withoutStack(run: string | undefined): WhyDocument {
  const name = run ?? 'the run';
  const goesOn = run === undefined ? 'r1 resume' : `r1 resume ${run}`;
  const ways = [
    { command: 'r1 up', does: 'starts it' },
    { command: goesOn, does: 'then goes on, where the workflow does not by itself' },
  ];
  return {
    run: run ?? null,
    status: null,
    stage: null,
    step: null,
    steps: null,
    waitsFor: 'stack',
    since: null,
    text: `${capital(name)} waits for the stack, which does not run here: no server answers and no worker works. What is committed is kept. ${waysText(ways)}`,
    ways,
  };
}

const RULES: readonly Rule[] = [
  diskFull,
  databaseAway,
  ended,
  temporalAway,
  objectsAway,
  workflowGone,
  resting,
  noOrchestrator,
  queued,
  noTrainer,
  noRewards,
  triedAgain,
];

/** Looked at before the servers: without room they fail in many ways. */
function diskFull(known: Known): Because | null {
  const { name, fullDisks, show } = known;
  if (fullDisks.length === 0 || (show !== null && show.status !== 'running')) return null;
  const disks = fullDisks.map(fullDiskText).join('; ');
  return {
    waitsFor: 'disk',
    text: `${capital(name)} waits for room: ${disks}. Nothing that was committed is lost. ${byRows(known)}`.trim(),
    ways: [{ command: 'r1 status', does: 'tells which processes run' }],
  };
}

function databaseAway({ name, rows, temporal, workflow }: Known): Because | null {
  if (!('error' in rows)) return null;
  const other =
    workflow === null
      ? ` ${'error' in temporal ? sentence(temporal.error) : ''}`
      : ' Temporal answers; the workflow goes on by itself when the rows can be written again.';
  return {
    waitsFor: 'database',
    text: `${capital(name)} waits for PostgreSQL, which holds its rows; nothing is committed without it. ${sentence(rows.error)}${other}`,
    ways: [{ command: 'r1 status', does: 'tells which processes run' }],
  };
}

function ended({ show, stage, name }: Known): Because | null {
  if (show?.status !== 'complete' && show?.status !== 'aborted') return null;
  const reached = stage === null ? '' : ` ${stage.stage} reached step ${stage.step} of ${stage.steps}.`;
  return {
    waitsFor: 'nothing',
    text: `${name} waits for nothing: it is ${show.status}.${reached}`,
    ways: [{ command: `r1 show ${name}`, does: 'tells what became of it' }],
  };
}

function temporalAway(known: Known): Because | null {
  if (!('error' in known.temporal)) return null;
  return {
    waitsFor: 'temporal',
    text: `${known.name} waits for Temporal, which orders its steps. ${sentence(known.temporal.error)} ${byRows(known)}`,
    ways: [
      { command: 'r1 status', does: 'tells which processes run' },
      {
        command: `r1 resume ${known.name}`,
        does: 'goes on from the rows where the server comes back without it',
      },
    ],
  };
}

function objectsAway(known: Known): Because | null {
  if (!('error' in known.objects)) return null;
  return {
    waitsFor: 'objects',
    text: `${known.name} waits for S3, which holds its batches and checkpoints. ${sentence(known.objects.error)} ${byRows(known)}`,
    ways: [{ command: 'r1 status', does: 'tells which processes run' }],
  };
}

function workflowGone(known: Known): Because | null {
  if (known.workflow?.run !== false || known.workflow.stage) return null;
  return {
    waitsFor: 'workflow',
    text: `${known.name} waits for its workflow, which is gone: this Temporal server does not run it. ${byRows(known)}`,
    ways: [
      { command: `r1 resume ${known.name}`, does: 'goes on from the rows' },
      { command: `r1 abort ${known.name}`, does: 'ends it' },
    ],
  };
}

function resting({ name, stage, workflow, now }: Known): Because | null {
  if (stage?.status !== 'paused' && stage?.status !== 'parked') return null;
  const since = workflow?.progress?.since;
  const why = stage.reason ?? 'no reason was recorded';
  const text =
    stage.status === 'paused'
      ? `${name} waits for an operator: ${stage.stage} is paused ${why}${ago(since, now)}, and its trainer is given back.`
      : `${name} waits for an operator: ${stage.stage} is parked at step ${stage.step} of ${stage.steps}${ago(since, now)}. ${sentence(why)}`;
  return { waitsFor: 'operator', text, since, ways: waysOn(stage.status, name) };
}

function noOrchestrator(known: Known): Because | null {
  const { workflow, now } = known;
  if (workflow === null) return null;
  if (workflow.served.orchestrator && !isLong(workflow.silentSince, now)) return null;
  return {
    waitsFor: 'orchestrator',
    text: `${known.name} waits for an orchestrator: none that listens to the queue r1 answers. ${processesText(known, 'orchestrator')} ${byRows(known)}`,
    ways: [{ command: 'r1 up', does: 'starts the workers of this machine' }],
  };
}

/** Others come first, in the order in which their runs were launched. */
function queued(known: Known): Because | null {
  const call = known.workflow?.pending.find(({ activity }) => activity === 'awaitTurn');
  if (call === undefined || call.lastFailure === null) return null;
  const { others } = 'value' in known.rows ? known.rows.value : { others: [] };
  return {
    waitsFor: 'trainer',
    since: call.scheduledAt,
    text: `${known.name} waits for a trainer${ago(call.scheduledAt, known.now)}: ${place(known)} ${sentence(call.lastFailure)} Each free trainer goes to the next.`,
    ways: others.map((run) => ({ command: `r1 pause ${run}`, does: 'gives its trainer back' })),
  };
}

function noTrainer(known: Known): Because | null {
  const call = waiting(known, TRAINER_CALLS);
  if (call === undefined) return null;
  if (known.workflow?.served.trainer && !isLong(call.scheduledAt, known.now)) return null;
  const { others } = 'value' in known.rows ? known.rows.value : { others: [] };
  const held = others.length === 0 ? '' : ` Under way and perhaps holding one: ${others.join(', ')}.`;
  return {
    waitsFor: 'trainer',
    since: call.scheduledAt,
    text: `${known.name} waits for a trainer${ago(call.scheduledAt, known.now)}: ${place(known)} no free one takes it from the queue train. ${processesText(known, 'trainer')}${held}`,
    ways: [
      { command: 'r1 up', does: 'starts the workers of this machine' },
      ...others.map((run) => ({ command: `r1 pause ${run}`, does: 'gives its trainer back' })),
    ],
  };
}

function noRewards(known: Known): Because | null {
  const call = waiting(known, REWARD_CALLS);
  if (call === undefined) return null;
  if (known.workflow?.served.rewards && !isLong(call.scheduledAt, known.now)) return null;
  return {
    waitsFor: 'rewards',
    since: call.scheduledAt,
    text: `${known.name} waits for a reward worker${ago(call.scheduledAt, known.now)}: ${place(known)} none takes its completions from the queue rewards. ${processesText(known, 'rewards')}`,
    ways: [{ command: 'r1 up', does: 'starts the workers of this machine' }],
  };
}

function triedAgain(known: Known): Because | null {
  const call = known.workflow?.pending.find(({ lastFailure }) => lastFailure !== null);
  if (call?.lastFailure == null) return null;
  return {
    waitsFor: 'another-try',
    since: call.scheduledAt,
    text: `${known.name} tries ${call.activity} again (try ${call.attempt})${ago(call.scheduledAt, known.now)}: ${place(known)} ${sentence(call.lastFailure)}`,
  };
}

function working(known: Known): Because {
  const { name, workflow, now } = known;
  const progress = workflow?.progress;
  if (!progress)
    return {
      waitsFor: 'work',
      text: `${name} is under way; its workflow did not say with what. ${byRows(known)}`,
    };
  const { phase, detail, since, wish } = progress;
  const asked =
    wish === null ? '' : ` ${wish.author ?? 'Someone'} has asked it to ${wish.kind} at the next step.`;
  return {
    waitsFor: 'work',
    since,
    text: `${name} gets on: ${place(known)} ${phase}${detail === '' ? '' : ` (${detail})`}${ago(since, now)}. ${workersText(known)}${asked}`,
  };
}

/** Which worker answers a call; what is named in neither is the orchestrator's own. */
const TRAINER_CALLS = ['acquire'];
const REWARD_CALLS = ['scoreRollout'];

/** A worker that is free takes a call within a moment. */
const TAKEN_SECONDS = 5;

const isLong = (since: string | null, now: number) =>
  since !== null && now - Date.parse(since) > 1000 * TAKEN_SECONDS;

/** A call that no worker has in hand. */
const waiting = ({ workflow }: Known, names: readonly string[]): PendingCall | undefined =>
  workflow?.pending.find(({ activity, started }) => !started && names.includes(activity));

/** `zero is at step 3 of 60,` */
const place = ({ stage }: Known) =>
  stage === null ? '' : `${stage.stage} is at step ${stage.step} of ${stage.steps},`;

const byRows = ({ show, stage }: Known) =>
  stage === null
    ? ''
    : `By its rows it is ${show?.status}: ${stage.stage} ${stage.status}, step ${stage.step} of ${stage.steps}.`;

/** How the local processes of a role stand. */
function processesText({ processes }: Known, role: string): string {
  const found = processes.filter((process) => process.role === role);
  if (found.length === 0) return `This machine runs no ${role}.`;
  const states = found.map(
    ({ name, state, restarts }) =>
      `${name} is ${state}${restarts > 0 ? `, started again ${restarts === 1 ? 'once' : `${restarts} times`}` : ''}`,
  );
  return `On this machine ${states.join('; ')}.`;
}

/** Which of this machine's workers run. */
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

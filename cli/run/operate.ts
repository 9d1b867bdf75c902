/** `r1 pause`, `resume`, `retry`, `cancel` and `abort`: operations on the stage that a run is in. */
import { userInfo } from 'node:os';
import { type Client, WorkflowNotFoundError, WorkflowUpdateFailedError } from '@temporalio/client';
import type { Command } from 'commander';
import type { OperatorDocument, ShowDocument } from '../../contracts/documents.ts';
import type { StageKey } from '../../contracts/identity.ts';
import type { OperatorRequest, ResumeRequest, RewindTarget, Rewound } from '../../contracts/operator.ts';
import type { StageStatus } from '../../contracts/stage-state.ts';
import { messages, stageWorkflowId } from '../../contracts/workflows.ts';
import type { Database } from '../../stores/database/database.ts';
import { rewind } from '../../stores/runs/rewind.ts';
import { setRunStatus } from '../../stores/runs/runs.ts';
import { setStageStatus } from '../../stores/runs/stages.ts';
import { findCheckpoint } from '../../stores/steps/checkpoints.ts';
import { CommandError, messageOf } from '../errors.ts';
import { refuseUntrained } from '../models/checkpoint-location.ts';
import { examples, jsonOption, printResult, RUN } from '../output/output.ts';
import { type Connections, withConnections } from '../stack/connections.ts';
import { findRun, readShow } from './run-rows.ts';
import { startRunWorkflow, summaryOf } from './workflow-client.ts';

type Operation = OperatorDocument['said'];

interface OperationHelp {
  description: string;
  examples: string[];
  /** what the command prints when it is done */
  done(document: OperatorDocument): string;
}

const ended = ({ run, when }: OperatorDocument) =>
  `${run} ${when === 'now' ? 'has ended' : 'ends after the current step, with a checkpoint'}. ` +
  `Its committed steps and checkpoints stay: \`r1 show ${run}\`.`;

const HELP: Record<Operation, OperationHelp> = {
  pause: {
    description: 'Pause a run after the current step. A checkpoint is committed and the trainer is released.',
    examples: ['r1 pause', 'r1 pause nano-zero-1'],
    done: ({ run }) => `${run} pauses after the current step. Continue it with \`r1 resume ${run}\`.`,
  },
  resume: {
    description:
      'Continue a paused or parked run, or one whose workflow is gone (also on another machine with the same ' +
      'database and bucket). It continues after its last committed step or, with --from, after an earlier one on a ' +
      'new branch. The old branch stays readable.',
    examples: ['r1 resume', 'r1 resume nano-zero-1 --from 20', 'r1 resume nano-zero-1 --from latest'],
    done: ({ run, rewound }) => {
      const where = rewound === null ? '' : ` after step ${rewound.step}, on branch ${rewound.branch}`;
      return `${run} continues${where}. Watch it with \`r1 watch ${run}\`.`;
    },
  },
  retry: {
    description: 'Retry a parked run after its last committed step, once the cause is fixed.',
    examples: ['r1 retry', 'r1 retry nano-zero-1'],
    done: ({ run }) => `${run} is retried. Watch it with \`r1 watch ${run}\`.`,
  },
  cancel: {
    description:
      'End a running run after the current step. A checkpoint is committed and the trainer is released. A paused or ' +
      'parked run ends at once, as with `r1 abort`. Its rows and checkpoints stay.',
    examples: ['r1 cancel', 'r1 cancel nano-zero-1'],
    done: ended,
  },
  abort: {
    description:
      'End a paused or parked run, or one whose workflow is gone, at once. A running run ends as with `r1 cancel`. ' +
      'Its rows and checkpoints stay.',
    examples: ['r1 abort nano-zero-1'],
    done: ended,
  },
};

export const commands = {
  pause: operation('pause'),
  resume: operation('resume'),
  retry: operation('retry'),
  cancel: operation('cancel'),
  abort: operation('abort'),
};

function operation(said: Operation) {
  const { description, examples: lines, done } = HELP[said];
  return (command: Command): void => {
    command
      .description(description)
      .argument(...RUN)
      .option(...jsonOption(said));
    if (said === 'resume')
      command.option(
        '--from <step>',
        'continue after this step: its number, a checkpoint (s3://…/manifest.json or RUN/STAGE@STEP), or latest',
      );
    command
      .addHelpText('after', examples(...lines))
      .action((name: string | undefined, { from, json }: { from?: string; json?: boolean }) =>
        withConnections(async (connections) => {
          const document = await operate(connections, name, said, from);
          printResult(json, said, document, done);
        }),
      );
  };
}

/** Where several stages run side by side, the operation is for the one whose status comes first. */
const FIRST: Record<Operation, readonly StageStatus[]> = {
  pause: [],
  resume: ['paused', 'parked'],
  retry: ['parked', 'paused'],
  cancel: [],
  abort: [],
};

/** Sends the operation to the stage's workflow. Where that is gone, the rows are changed instead. */
async function operate(
  connections: Connections,
  name: string | undefined,
  said: Operation,
  from: string | undefined,
): Promise<OperatorDocument> {
  const [database, client] = await Promise.all([connections.database(), connections.temporal()]);
  const { status, ...key } = unfinishedStage(await readShow(database, name), FIRST[said]);
  if (said === 'retry' && status !== 'parked')
    throw new CommandError(
      `${key.run}/${key.stage} is ${status}: only a parked stage can be retried. \`r1 why ${key.run}\` says what it is waiting for.`,
    );
  const target = from === undefined ? undefined : await rewindTarget(database, key, from);
  if (!(await isServed(client, key))) return operateOnRows(database, client, { key, said, target });
  const request = { author: operatorName(), ...(target === undefined ? {} : { from: target }) };
  const rewound = await updateStage(client, key, messages[said], request);
  const endsLater = (said === 'cancel' || said === 'abort') && status === 'running';
  const when = said === 'pause' || endsLater ? 'next-step' : 'now';
  return { ...key, said, when, workflow: 'told', rewound };
}

async function operateOnRows(
  database: Database,
  client: Client,
  { key, said, target }: { key: StageKey; said: Operation; target: RewindTarget | undefined },
): Promise<OperatorDocument> {
  if (said === 'pause')
    throw new CommandError(
      `${key.run}/${key.stage} cannot be paused: its workflow is gone. \`r1 why ${key.run}\` says more.`,
    );
  if (said === 'cancel' || said === 'abort') {
    await setStageStatus(database, key, 'aborted');
    await setRunStatus(database, key.run, 'aborted');
    return { ...key, said, when: 'now', workflow: 'gone', rewound: null };
  }
  const rewound = target === undefined ? null : await rewind(database, key, target);
  const { recipe } = await findRun(database, key.run);
  await startRunWorkflow(client, { run: key.run, summary: summaryOf(recipe) });
  return { ...key, said, when: 'now', workflow: 'begun', rewound };
}

/** A whole number is a step; anything but `latest` names a checkpoint. */
async function rewindTarget(database: Database, key: StageKey, from: string): Promise<RewindTarget> {
  if (/^\d+$/.test(from)) return Number(from);
  if (from === 'latest') return from;
  const found = await findCheckpoint(database, from);
  await refuseUntrained(database, from, found);
  const own = found.run === key.run && found.stage === key.stage;
  return own && found.step === 0 ? 0 : found.manifest.uri;
}

/** The user of this machine, as the author of operations and changes. */
export function operatorName(): string {
  try {
    return userInfo().username;
  } catch {
    return 'unknown';
  }
}

const UNFINISHED = ['running', 'paused', 'parked', 'pending'] as const;

/**
 * The stage that a run is in: the one that is running, paused or parked, else the next. Of several the one whose
 * status comes first in `first`. Throws CommandError where the run has ended.
 */
export function unfinishedStage(
  { run, status, stages }: ShowDocument,
  first: readonly StageStatus[] = [],
): StageKey & { status: StageStatus } {
  const hasEnded = status === 'complete' || status === 'aborted';
  const [found] = hasEnded
    ? []
    : [...first, ...UNFINISHED].flatMap((each) => stages.find((stage) => stage.status === each) ?? []);
  if (found !== undefined) return { run, stage: found.stage, status: found.status };
  throw new CommandError(`${run} has no unfinished stage: it is ${status}. See \`r1 show ${run}\`.`);
}

/** Whether the stage's workflow runs and can receive messages. */
async function isServed(client: Client, key: StageKey): Promise<boolean> {
  try {
    const { status } = await client.workflow.getHandle(stageWorkflowId(key)).describe();
    return status.name === 'RUNNING';
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}

/** A live orchestrator answers in less than a second; a rewind in a busy database takes longer. */
const UPDATE_MILLISECONDS = 20_000;

/** Sends an update and waits for its result. Throws where the stage refuses it or no worker handles it. */
async function updateStage(
  client: Client,
  { run, stage }: StageKey,
  message: (typeof messages)[Operation],
  request: OperatorRequest | ResumeRequest,
): Promise<Rewound | null> {
  const handle = client.workflow.getHandle(stageWorkflowId({ run, stage }));
  const deadline = Date.now() + UPDATE_MILLISECONDS;
  try {
    const answer = await client.connection.withDeadline(deadline, () =>
      handle.executeUpdate<Rewound | null, [typeof request]>(message, { args: [request] }),
    );
    return answer ?? null;
  } catch (error) {
    if (error instanceof WorkflowUpdateFailedError) {
      let cause: unknown = error;
      while (cause instanceof Error && cause.cause instanceof Error) cause = cause.cause;
      throw new CommandError(`${run}/${stage} refused: ${messageOf(cause)}`);
    }
    if (Date.now() < deadline) throw error;
    throw new CommandError(
      `no orchestrator answered within ${UPDATE_MILLISECONDS / 1000} s. \`r1 why ${run}\` says what is missing; then repeat the command.`,
    );
  }
}

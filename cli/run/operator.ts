/** What an operator says to a run: messages to the workflow of the stage that it stands in. */
import { userInfo } from 'node:os';
import { type Client, WorkflowNotFoundError, WorkflowUpdateFailedError } from '@temporalio/client';
import type { ShowDocument } from '../../contracts/documents.ts';
import type { StageKey } from '../../contracts/identity.ts';
import type { OperatorRequest, ResumeRequest, Rewound } from '../../contracts/operator.ts';
import type { StageStatus } from '../../contracts/stage-state.ts';
import { type messages, stageWorkflowId } from '../../contracts/workflows.ts';
import { CommandError, messageOf } from '../errors.ts';

type Message = (typeof messages)['pause' | 'resume' | 'retry' | 'cancel' | 'abort'];

/** An orchestrator that works answers within a moment; a rewind of a busy database takes longer. */
const UPDATE_MILLISECONDS = 20_000;

/** Who sits at the keyboard, for the rows and the UI. */
export function operatorName(): string {
  try {
    return userInfo().username;
  } catch {
    return 'unknown';
  }
}

const STANDS = ['running', 'paused', 'parked', 'pending'] as const;

/**
 * The stage that a run stands in: one under way or at rest, else the next; of several side by side the one whose
 * status comes first. Throws where the run has ended.
 */
export function standingStage(
  { run, status, stages }: ShowDocument,
  first: readonly StageStatus[] = STANDS,
): StageKey & { status: StageStatus } {
  const ended = status === 'complete' || status === 'aborted';
  const ranked = [...first, ...STANDS].flatMap(
    (standing) => stages.find((stage) => stage.status === standing) ?? [],
  );
  const [found] = ended ? [] : ranked;
  if (found !== undefined) return { run, stage: found.stage, status: found.status };
  throw new CommandError(`${run} has no stage under way: it is ${status}. See \`r1 show ${run}\`.`);
}

/** Whether the stage's workflow is there to be told anything. */
export async function isServed(client: Client, key: StageKey): Promise<boolean> {
  try {
    const { status } = await client.workflow.getHandle(stageWorkflowId(key)).describe();
    return status.name === 'RUNNING';
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}

/** Sends an update and waits until it is carried out. Throws where the stage refuses or nobody hears it. */
export async function updateStage(
  client: Client,
  key: StageKey,
  message: Message,
  request: OperatorRequest | ResumeRequest,
): Promise<Rewound | null> {
  const handle = client.workflow.getHandle(stageWorkflowId(key));
  const deadline = Date.now() + UPDATE_MILLISECONDS;
  try {
    const answer = await client.connection.withDeadline(deadline, () =>
      handle.executeUpdate<Rewound | null, [typeof request]>(message, { args: [request] }),
    );
    return answer ?? null;
  } catch (error) {
    if (error instanceof WorkflowUpdateFailedError) throw refused(key, error);
    if (Date.now() < deadline) throw error;
    throw new CommandError(
      `no orchestrator has heard it within ${UPDATE_MILLISECONDS / 1000} s. \`r1 why ${key.run}\` tells what is missing; ` +
        'then say it again.',
    );
  }
}

function refused({ run, stage }: StageKey, error: WorkflowUpdateFailedError): CommandError {
  let cause: unknown = error;
  while (cause instanceof Error && cause.cause instanceof Error) cause = cause.cause;
  return new CommandError(`${run}/${stage} refused: ${messageOf(cause)}`);
}

/** What an operator says to a run: messages to the workflow of the stage that it stands in. */
import { type Client, WorkflowNotFoundError, WorkflowUpdateFailedError } from '@temporalio/client';
import type { ShowDocument } from '../contracts/documents.ts';
import type { StageKey } from '../contracts/identity.ts';
import type { ResumeRequest } from '../contracts/operator.ts';
import { type messages, stageWorkflowId } from '../contracts/workflows.ts';
import { CommandError } from './errors.ts';

type Message = (typeof messages)['pause' | 'resume' | 'abort'];

/** The stage that a run stands in. Throws where the run has ended or has not begun. */
export function standingStage({ run, status, stages }: ShowDocument): StageKey & { status: string } {
  const found = stages.find((stage) => ['running', 'paused', 'parked'].includes(stage.status));
  if (found !== undefined) return { run, stage: found.stage, status: found.status };
  throw new CommandError(`${run} has no stage under way: it is ${status}. See \`r1 show ${run}\``);
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

/** Sends an update and waits until it is taken; only `resume` reads a request. Throws where the stage refuses. */
export async function tellStage(
  client: Client,
  key: StageKey,
  message: Message,
  request: ResumeRequest = {},
): Promise<void> {
  try {
    await client.workflow.getHandle(stageWorkflowId(key)).executeUpdate(message, { args: [request] });
  } catch (error) {
    if (!(error instanceof WorkflowUpdateFailedError)) throw error;
    const why = error.cause instanceof Error ? error.cause.message : error.message;
    throw new CommandError(`${key.run}/${key.stage} refused: ${why}`);
  }
}

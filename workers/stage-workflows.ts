import { Client, type ConnectionLike, WorkflowNotFoundError } from '@temporalio/client';
import type { StageWorkflows } from '../activities/dependencies.ts';
import { messages, stageWorkflowId } from '../contracts/workflows.ts';

/** Activities of a stage's workflow that wait for a trainer; `acquire` only until a trainer has started it. */
const WAITING_CALLS = ['awaitTurn', 'acquire'];
/** temporal.api.enums.v1.PendingActivityState: a worker runs it */
const STARTED = 2;

/** Queries and signals the stages' workflows through Temporal. */
export function stageWorkflows(connection: ConnectionLike, namespace: string): StageWorkflows {
  const { workflow } = new Client({ connection, namespace });
  return {
    async waitsForTrainer(key) {
      const described = await unlessGone(workflow.getHandle(stageWorkflowId(key)).describe());
      if (described?.status.name !== 'RUNNING') return false;
      const { raw } = described;
      // Between two activities, or before the first, none is pending: its next task decides.
      const undecided = raw.pendingWorkflowTask != null;
      return (
        undecided ||
        (raw.pendingActivities ?? []).some(
          ({ activityType, state }) =>
            WAITING_CALLS.includes(activityType?.name ?? '') &&
            !(activityType?.name === 'acquire' && state === STARTED),
        )
      );
    },
    async showPlace(key, place) {
      await unlessGone(workflow.getHandle(stageWorkflowId(key)).signal(messages.place, place));
    },
  };
}

async function unlessGone<Result>(call: Promise<Result>): Promise<Result | undefined> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}

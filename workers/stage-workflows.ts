import { Client, type ConnectionLike, WorkflowNotFoundError } from '@temporalio/client';
import type { StageWorkflows } from '../activities/dependencies.ts';
import type { Lease } from '../contracts/identity.ts';
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

/**
 * Asks a stage's workflow whether another lease has taken over from this one. A workflow that has ended uses no trainer.
 * Rejects where it does not answer: then it is not known.
 */
export function stageLeases(connection: ConnectionLike, namespace: string) {
  const { workflow } = new Client({ connection, namespace });
  return {
    async isSuperseded(lease: Lease): Promise<boolean> {
      const handle = workflow.getHandle(stageWorkflowId(lease));
      const described = await unlessGone(handle.describe());
      if (described?.status.name !== 'RUNNING') return true;
      const current = await handle.query<Lease | null>(messages.lease);
      return current !== null && isLater(current, lease);
    },
  };
}

/** Terms count within a branch, and branches within the stage. */
const isLater = (a: Lease, b: Lease) => a.branch > b.branch || (a.branch === b.branch && a.term > b.term);

async function unlessGone<Result>(call: Promise<Result>): Promise<Result | undefined> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}

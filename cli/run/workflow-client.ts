/** Requests of commands to Temporal. */

import type { Client } from '@temporalio/client';
import type { StageKey } from '../../contracts/identity.ts';
import type { Change } from '../../contracts/options.ts';
import type { Recipe } from '../../contracts/recipe.ts';
import {
  messages,
  queues,
  type RunInput,
  runWorkflowId,
  type StageProgress,
  searchAttributes,
  stageWorkflowId,
  workflowTypes,
} from '../../contracts/workflows.ts';
import type { Stack } from '../../infra/stack.ts';
import type { Connections } from '../stack/connections.ts';

/** A query that takes longer has no worker to answer it. */
const QUERY_MILLISECONDS = 2_000;

/** The progress of a stage; null where no worker answers. */
export async function queryProgress(client: Client, key: StageKey): Promise<StageProgress | null> {
  const handle = client.workflow.getHandle(stageWorkflowId(key));
  const deadline = Date.now() + QUERY_MILLISECONDS;
  return client.connection
    .withDeadline(deadline, () => handle.query<StageProgress>(messages.progress))
    .catch(() => null);
}

/** Notifies the stage's workflow of committed changes. It reads the rows anyway, so that a failure does not matter. */
export async function signalChanges(
  { temporal }: Pick<Connections, 'temporal'>,
  key: StageKey,
  changes: readonly Change[],
): Promise<void> {
  const notify = async () => {
    const client = await temporal();
    const handle = client.workflow.getHandle(stageWorkflowId(key));
    await client.connection.withDeadline(Date.now() + QUERY_MILLISECONDS, () =>
      handle.signal(messages.changed, changes),
    );
  };
  await notify().catch(() => undefined);
}

/**
 * Starts a run's workflow unless it runs already. A run whose history is gone or ended early continues from its rows.
 */
export async function startRunWorkflow(
  client: Client,
  { run, summary }: { run: string; summary: string },
): Promise<void> {
  const { defineSearchAttributeKey, SearchAttributeType } = await import('@temporalio/common');
  const input: RunInput = { run };
  await client.workflow.start(workflowTypes.run, {
    workflowId: runWorkflowId(run),
    taskQueue: queues.orchestrator,
    args: [input],
    workflowIdConflictPolicy: 'USE_EXISTING',
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    staticSummary: summary,
    typedSearchAttributes: [
      {
        key: defineSearchAttributeKey(searchAttributes.run, SearchAttributeType.KEYWORD),
        value: run,
      },
    ],
  });
}

/** The address of a workflow in the Temporal UI; null where the UI is unknown. */
export function workflowUrl({ temporal }: Stack, workflowId: string): string | null {
  const { ui, namespace } = temporal;
  if (ui === null) return null;
  const base = ui.replace(/\/$/, '');
  return `${base}/namespaces/${encodeURIComponent(namespace)}/workflows/${encodeURIComponent(workflowId)}`;
}

/** `nano-zero · seed 1 · zero 90 steps`: the run's summary in the Temporal UI. */
export function summaryOf({ name, seed, stages }: Recipe): string {
  const steps = stages.map(({ stage, options }) => `${stage} ${options.max_steps} steps`);
  return [name, `seed ${seed}`, ...steps].join(' · ');
}

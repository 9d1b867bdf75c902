/** Ends a run: what `r1 cancel` and `r1 abort` do. */
import type { OperatorDocument } from '../../contracts/documents.ts';
import type { StageKey } from '../../contracts/identity.ts';
import { messages } from '../../contracts/workflows.ts';
import type { Database } from '../../stores/database/database.ts';
import { setRunStatus } from '../../stores/runs/runs.ts';
import { setStageStatus } from '../../stores/runs/stages.ts';
import type { Connections } from '../stack/connections.ts';
import { isServed, operatorName, standingStage, updateStage } from './operator.ts';
import { readShow } from './run-rows.ts';

/** A stage under way ends at its next step, one that rests at once. Where the workflow is gone the rows are told. */
export async function endRun(
  connections: Connections,
  name: string | undefined,
  said: 'cancel' | 'abort',
): Promise<OperatorDocument> {
  const [database, client] = await Promise.all([connections.database(), connections.temporal()]);
  const { status, ...key } = standingStage(await readShow(database, name));
  if (!(await isServed(client, key))) {
    await endRows(database, key);
    return { ...key, said, when: 'now', workflow: 'gone', rewound: null };
  }
  await updateStage(client, key, messages[said], { author: operatorName() });
  const when = status === 'running' ? 'next-step' : 'now';
  return { ...key, said, when, workflow: 'told', rewound: null };
}

async function endRows(database: Database, key: StageKey): Promise<void> {
  await setStageStatus(database, key, 'aborted');
  await setRunStatus(database, key.run, 'aborted');
}

/** What a person is told of it. */
export function endText({ run, when }: OperatorDocument): string {
  const end = when === 'now' ? 'is ended' : 'ends after the step under way, with a checkpoint';
  return `${run} ${end}. What it has committed stays: \`r1 show ${run}\`.`;
}

/** Goes on with a run that rests, or whose workflow is gone: what `r1 resume` and `r1 retry` do. */
import type { OperatorDocument } from '../../contracts/documents.ts';
import type { StageKey } from '../../contracts/identity.ts';
import type { RewindTarget, Rewound } from '../../contracts/operator.ts';
import { messages } from '../../contracts/workflows.ts';
import type { Database } from '../../stores/database/database.ts';
import { rewind } from '../../stores/runs/rewind.ts';
import { findCheckpoint } from '../../stores/steps/checkpoints.ts';
import { CommandError } from '../errors.ts';
import { summaryOf } from '../launch/launch-run.ts';
import { refuseUntrained } from '../models/checkpoint-location.ts';
import type { Connections } from '../stack/connections.ts';
import { isServed, operatorName, standingStage, updateStage } from './operator.ts';
import { findRun, readShow } from './run-rows.ts';
import { startRunWorkflow } from './workflow-client.ts';

export interface TakeUp {
  said: 'resume' | 'retry';
  /** a step, a checkpoint by any of its names, or `latest`; left out: where the rows end */
  from?: string;
}

/** Which stage is meant, where others go on beside it. */
const RESTING = { retry: ['parked', 'paused'], resume: ['paused', 'parked'] } as const;

/**
 * A run whose workflow is there is told; one whose workflow is gone, with its server or its machine, is taken up
 * from its rows by a new workflow.
 */
export async function takeUp(
  connections: Connections,
  name: string | undefined,
  { said, from }: TakeUp,
): Promise<OperatorDocument> {
  const [database, client] = await Promise.all([connections.database(), connections.temporal()]);
  const { status, ...key } = standingStage(await readShow(database, name), RESTING[said]);
  if (said === 'retry' && status !== 'parked') refuseRetry(key, status);
  const target = from === undefined ? undefined : await rewindTarget(database, key, from);
  if (await isServed(client, key)) {
    const request = { author: operatorName(), ...(target === undefined ? {} : { from: target }) };
    const rewound = await updateStage(client, key, messages[said], request);
    return { ...key, said, when: 'now', workflow: 'told', rewound };
  }
  const rewound: Rewound | null = target === undefined ? null : await rewind(database, key, target);
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

function refuseRetry({ run, stage }: StageKey, status: string): never {
  throw new CommandError(
    `${run}/${stage} is ${status}: only a parked stage is tried again. \`r1 why ${run}\` tells what it waits for.`,
  );
}

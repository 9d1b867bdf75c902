import { readCheckpoint } from '../../activities/checkpoints/read-checkpoint.ts';
import { type EngineThread, startEngineThread } from '../../engine/service/thread.ts';
import { type ModelFolder, type ModelOptions, readModelFolder } from '../../engine/weights/model-folder.ts';
import { readSettings } from '../../infra/settings.ts';
import { findStack, type Stack } from '../../infra/stack.ts';
import { type FoundCheckpoint, findCheckpoint } from '../../stores/steps/checkpoints.ts';
import { CommandError } from '../errors.ts';
import { type Connections, withConnections } from '../stack/connections.ts';
import { type CheckpointLocation, placeOfCheckpoint, refuseUntrained } from './checkpoint-location.ts';
import { lookAtModel, refuseOther, WHAT_IS_READ } from './model-location.ts';

/** A model that a person named, read whole and checked. */
export interface OpenModel {
  /** the manifest's URI, or the folder */
  name: string;
  model: ModelFolder;
  /** where it stands in a run; null for a folder */
  origin: FoundCheckpoint | null;
  /** the same with how its stage stands, for people */
  place?: CheckpointLocation;
}

/** A committed checkpoint of a run. */
export type OpenCheckpoint = OpenModel & { origin: FoundCheckpoint; place: CheckpointLocation };

/** How a checkpoint is named, for the help of commands that take one. */
export const CHECKPOINT_HELP =
  'RUN, RUN/STAGE, RUN/STAGE@STEP (step 0: what the stage started from), s3://…/manifest.json, or a model’s folder';

/**
 * Opens a model by name and hands it to `work`, with the stack's connections where it came from a run. Throws
 * InputError where the name means no model that is read, or a run that has not saved one yet.
 */
export async function withModel<Result>(
  name: string,
  work: (opened: OpenModel, connections: Connections | null) => Promise<Result>,
): Promise<Result> {
  const place = await lookAtModel(name);
  refuseOther(name, place);
  if (place.kind === 'folder') {
    const model = await readModelFolder(name);
    return work({ name, model, origin: null }, null);
  }
  return withConnections(async (connections) => {
    const opened = await openCheckpoint(name, connections);
    return work(opened, connections);
  }, stackFor(name));
}

/** The stack that a checkpoint's name needs. */
function stackFor(name: string): Stack {
  const stack = findStack();
  if (stack !== undefined) return stack;
  const isFolderWanted = name.startsWith('s3://')
    ? ''
    : ` A folder of that name is not here either. ${WHAT_IS_READ}.`;
  throw new CommandError(
    `${name}: a run’s checkpoint is read from the stack, and the stack is not running: start it with \`r1 up\`.${isFolderWanted}`,
  );
}

/**
 * A committed checkpoint by name. Throws Failure where there is none, or where it is damaged, InputError where the
 * stage has none yet.
 */
export async function openCheckpoint(
  name: string,
  { database, objects }: Connections,
  options: ModelOptions = {},
): Promise<OpenCheckpoint> {
  const origin = await findCheckpoint(await database(), name);
  await refuseUntrained(await database(), name, origin);
  const place = await placeOfCheckpoint(await database(), origin);
  const model = await readCheckpoint({ objects: await objects() }, origin.manifest, options);
  return { name: origin.manifest.uri, model, origin, place };
}

/** Runs `work` with an engine of this process's own. */
export async function withEngine<Result>(work: (engine: EngineThread) => Promise<Result>): Promise<Result> {
  const { availableParallelism } = await import('node:os');
  const engine = startEngineThread({ threads: readSettings().threads ?? availableParallelism() });
  try {
    return await work(engine);
  } finally {
    await engine.close();
  }
}

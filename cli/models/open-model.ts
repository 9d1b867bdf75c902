/** Opens models and engines. */
import { readCheckpoint } from '../../activities/checkpoints/read-checkpoint.ts';
import { type EngineThread, startEngineThread } from '../../engine/service/thread.ts';
import { type ModelFolder, type ModelOptions, readModelFolder } from '../../engine/weights/model-folder.ts';
import { WEIGHTS_FILE } from '../../engine/weights/weights.ts';
import { readSettings } from '../../infra/settings.ts';
import { findStack, type Stack } from '../../infra/stack.ts';
import { type FoundCheckpoint, findCheckpoint } from '../../stores/steps/checkpoints.ts';
import { CommandError } from '../errors.ts';
import { type Connections, withConnections, withOptionalStack } from '../stack/connections.ts';
import { type CheckpointLocation, locateCheckpoint, refuseUntrained } from './checkpoint-location.ts';
import { locateModel, refuseOther, WHAT_IS_READ } from './model-location.ts';

/** A model, read and checked. */
export interface OpenModel {
  /** URI of the manifest, or the folder */
  name: string;
  model: ModelFolder;
  /** its run, stage and step; null for a folder */
  origin: FoundCheckpoint | null;
  /** the same with the state of its stage, for display */
  location?: CheckpointLocation;
}

/** A committed checkpoint of a run. */
export type OpenCheckpoint = OpenModel & { origin: FoundCheckpoint; location: CheckpointLocation };

/** The argument of commands that read a checkpoint. */
export const CHECKPOINT_HELP =
  'RUN, RUN/STAGE, RUN/STAGE@STEP (step 0: what the stage started from), s3://…/manifest.json, or a model’s folder';

/**
 * Opens a model by name and passes it to `work`. Throws InputError where the name leads to no supported model, or to a
 * run without a checkpoint.
 */
export async function withModel<Result>(
  name: string,
  work: (opened: OpenModel, connections: Pick<Connections, 'database'>) => Promise<Result>,
): Promise<Result> {
  const location = await locateModel(name);
  refuseOther(name, location);
  if (location.kind === 'folder') {
    const model = await readModelFolder(name);
    return withOptionalStack((connections) => work({ name, model, origin: null }, connections));
  }
  return withConnections(async (connections) => {
    const opened = await openCheckpoint(name, connections);
    return work(opened, connections);
  }, stackFor(name));
}

/** The stack for a checkpoint. Throws CommandError where none runs. */
function stackFor(name: string): Stack {
  const stack = findStack();
  if (stack !== undefined) return stack;
  const hint = name.startsWith('s3://') ? '' : ` There is no folder of that name either. ${WHAT_IS_READ}.`;
  throw new CommandError(
    `${name}: a run’s checkpoint is read from the stack, and the stack is not running: start it with \`r1 up\`.${hint}`,
  );
}

/** A committed checkpoint by name. Throws Failure where there is none or it is damaged, InputError where none is saved yet. */
export async function openCheckpoint(
  name: string,
  { database, objects }: Connections,
  options: ModelOptions = {},
): Promise<OpenCheckpoint> {
  const origin = await findCheckpoint(await database(), name);
  await refuseUntrained(await database(), name, origin);
  const location = await locateCheckpoint(await database(), origin);
  const model = await readCheckpoint({ objects: await objects() }, origin.manifest, options);
  return { name: origin.manifest.uri, model, origin, location };
}

/** Runs `work` with its own engine thread. */
export async function withEngine<Result>(work: (engine: EngineThread) => Promise<Result>): Promise<Result> {
  const { availableParallelism } = await import('node:os');
  const engine = startEngineThread({ threads: readSettings().threads ?? availableParallelism() });
  try {
    return await work(engine);
  } finally {
    await engine.close();
  }
}

/** Loads a model into an engine for sampling. */
export async function loadModel(engine: EngineThread, { files }: ModelFolder): Promise<void> {
  const file = (name: string) => files.get(name) ?? new Uint8Array();
  await engine.call('load', {
    config: JSON.parse(new TextDecoder().decode(file('config.json'))),
    model: file(WEIGHTS_FILE),
    moments: null,
    reference: null,
    withReference: false,
  });
}

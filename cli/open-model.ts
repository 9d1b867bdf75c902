import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { readCheckpoint } from '../activities/read-checkpoint.ts';
import { type ModelFolder, type ModelOptions, readModelFolder } from '../engine/model-folder.ts';
import { type EngineThread, startEngineThread } from '../engine/thread.ts';
import { readSettings } from '../infra/settings.ts';
import { type FoundCheckpoint, findCheckpoint } from '../stores/checkpoint-names.ts';
import type { Connections } from './connections.ts';
import { withConnections } from './connections.ts';

/** A model that a person named, read whole and checked. */
export interface OpenModel {
  /** the manifest's URI, or the folder */
  name: string;
  model: ModelFolder;
  /** where it stands in a run; null for a folder */
  origin: FoundCheckpoint | null;
}

/** A committed checkpoint of a run. */
export type OpenCheckpoint = OpenModel & { origin: FoundCheckpoint };

/** How a checkpoint is named, for the help of commands that take one. */
export const CHECKPOINT_HELP =
  'RUN, RUN/STAGE, RUN/STAGE@STEP (step 0: what the stage started from), s3://…/manifest.json, or a model’s folder';

/** Whether a name means a folder: it looks like a path, or a model lies there. */
async function meansFolder(name: string): Promise<boolean> {
  if (/^\.{0,2}\//.test(name) || name === '.') return true;
  return stat(join(name, 'config.json')).then(
    () => true,
    () => false,
  );
}

/**
 * Opens a model by name and hands it to `work`, with the stack's connections where it came from a run.
 */
export async function withModel<Result>(
  name: string,
  work: (opened: OpenModel, connections: Connections | null) => Promise<Result>,
): Promise<Result> {
  if (await meansFolder(name)) {
    const model = await readModelFolder(name);
    return work({ name, model, origin: null }, null);
  }
  return withConnections(async (connections) => {
    const opened = await openCheckpoint(name, connections);
    return work(opened, connections);
  });
}

/** A committed checkpoint by name. Throws Failure where there is none, or where it is damaged. */
export async function openCheckpoint(
  name: string,
  { database, objects }: Connections,
  options: ModelOptions = {},
): Promise<OpenCheckpoint> {
  const origin = await findCheckpoint(await database(), name);
  const model = await readCheckpoint({ objects: await objects() }, origin.manifest, options);
  return { name: origin.manifest.uri, model, origin };
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

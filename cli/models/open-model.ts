/** Opens models and engines. */
import {
  type CheckpointObjects,
  checkpointObjects,
  fetchFiles,
  readManifest,
  tokenizerOf,
} from '../../activities/checkpoints/checkpoint-files.ts';
import {
  type CheckpointStores,
  readCheckpoint,
  readSampledModel,
} from '../../activities/checkpoints/read-checkpoint.ts';
import type { Reference } from '../../contracts/reference.ts';
import type { CommittedCheckpoint } from '../../contracts/stage-state.ts';
import { ModelConfigError } from '../../engine/model/model-config.ts';
import { type EngineThread, startEngineThread } from '../../engine/service/thread.ts';
import type { Tokenizer } from '../../engine/tokenizer/tokenizer.ts';
import {
  type ModelFolder,
  readAnyModelFolder,
  readModelFolder,
  type SampledModel,
} from '../../engine/weights/model-folder.ts';
import { readSettings } from '../../infra/settings.ts';
import { findStack, type Stack } from '../../infra/stack.ts';
import { findModel } from '../../stores/data/models.ts';
import { createFileCache } from '../../stores/objects/file-cache.ts';
import { type FoundCheckpoint, findCheckpoint } from '../../stores/steps/checkpoints.ts';
import { CommandError } from '../errors.ts';
import { type Connections, runningStack, withConnections, withOptionalStack } from '../stack/connections.ts';
import { type CheckpointLocation, locateCheckpoint, refuseUntrained } from './checkpoint-location.ts';
import { locateModel, refuseOther, WHAT_IS_READ } from './model-location.ts';

/** A model, read and checked. */
export interface OpenModel {
  /** URI of the manifest, or the folder */
  name: string;
  model: SampledModel;
  /** its run, stage and step; null for a folder and an added model */
  origin: FoundCheckpoint | null;
  /** an added model in the object store */
  stored?: CommittedCheckpoint;
  /** the same with the state of its stage, for display */
  location?: CheckpointLocation;
}

/** A committed checkpoint of a run. */
export type OpenCheckpoint<Model = ModelFolder> = OpenModel & {
  model: Model;
  origin: FoundCheckpoint;
  location: CheckpointLocation;
};

/** The argument of commands that read a checkpoint. */
export const CHECKPOINT_HELP =
  'RUN, RUN/STAGE, RUN/STAGE@STEP (step 0: what the stage started from), s3://…/manifest.json, the name of an added model, or a model’s folder';

/** What computes: the engine in this process, or a trainer of the stack. */
export const PLACES = ['here', 'trainer'] as const;
export type Place = (typeof PLACES)[number];

/** A model that is to be sampled from, and where. */
export type ModelToSample =
  | { on: 'here'; opened: OpenModel & { model: ModelFolder } }
  | { on: 'trainer'; opened: OpenModel };

/**
 * Opens a model by name and passes it to `work`. By default it is sampled from here where the embedded engine computes
 * it, else by a trainer where a stack runs. Throws InputError where the name leads to no supported model, or to a run
 * without a checkpoint.
 */
export async function withModel<Result>(
  name: string,
  on: Place | undefined,
  work: (model: ModelToSample, connections: Omit<Connections, 'stack'>) => Promise<Result>,
): Promise<Result> {
  const location = await locateModel(name);
  refuseOther(name, location);
  if (location.kind === 'folder') {
    const model = await placed(on, {
      here: async () => ({ name, model: await readModelFolder(name), origin: null }),
      trainer: async () => ({ name, model: await readAnyModelFolder(name), origin: null }),
    });
    return withOptionalStack((connections) => work(model, connections));
  }
  return withConnections(async (connections) => {
    const model = await placed(on, {
      here: async () =>
        (await openAdded(name, connections, readCheckpoint)) ?? openCheckpoint(name, connections),
      trainer: async () =>
        (await openAdded(name, connections, readSampledModel)) ?? openForTrainer(name, connections),
    });
    return work(model, connections);
  }, stackFor(name));
}

interface Openers {
  here: () => Promise<OpenModel & { model: ModelFolder }>;
  trainer: () => Promise<OpenModel>;
}

async function placed(on: Place | undefined, open: Openers): Promise<ModelToSample> {
  if (on === 'here') return { on, opened: await open.here() };
  if (on === 'trainer') {
    runningStack();
    return { on, opened: await open.trainer() };
  }
  try {
    return { on: 'here', opened: await open.here() };
  } catch (error) {
    if (!(error instanceof ModelConfigError) || findStack() === undefined) throw error;
    const opened = await open.trainer().catch(() => {
      throw error;
    });
    process.stderr.write(`(a trainer samples: ${error.message})\n`);
    return { on: 'trainer', opened };
  }
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

/** A model that was added under a name; undefined where none was. */
export async function openAdded<Model extends SampledModel>(
  name: string,
  { database, objects }: Connections,
  read: (stores: CheckpointStores, manifest: Reference) => Promise<Model>,
): Promise<(OpenModel & { model: Model }) | undefined> {
  const added = await findModel(await database(), name);
  if (added === undefined) return undefined;
  const { manifest, digest } = added;
  const stored = { step: 0, manifest, digests: { weights: digest, moments: null, reference: null } };
  const cache = createFileCache(readSettings().modelCache);
  const model = await read({ objects: await objects(), cache }, manifest);
  return { name, model, origin: null, stored };
}

/** A committed checkpoint by name. Throws Failure where there is none or it is damaged, InputError where none is saved yet. */
export async function openCheckpoint(name: string, connections: Connections): Promise<OpenCheckpoint> {
  const found = await findTrained(name, connections);
  const objects = await connections.objects();
  const cache = createFileCache(readSettings().modelCache);
  return { ...found, model: await readCheckpoint({ objects, cache }, found.origin.manifest) };
}

/** A committed checkpoint whose weights are not read yet, of any architecture. */
export interface StoredModel {
  name: string;
  origin: FoundCheckpoint;
  location: CheckpointLocation;
  /** of the weights */
  digest: string;
  /** the files beside the weights */
  files: Map<string, Uint8Array>;
  tokenizer: Tokenizer;
  weights: CheckpointObjects['weights'];
  index: Uint8Array | null;
}

/** Opens a committed checkpoint without reading its weights. Throws as `openCheckpoint` does. */
export async function openStored(name: string, connections: Connections): Promise<StoredModel> {
  const found = await findTrained(name, connections);
  const objects = await connections.objects();
  const { manifest: reference } = found.origin;
  const manifest = await readManifest(objects, reference);
  const { weights, companions, index } = await checkpointObjects(objects, manifest, reference.uri);
  const fetched = await fetchFiles(objects, { files: companions });
  return {
    ...found,
    weights,
    digest: manifest.digests.weights,
    files: new Map(Object.entries(fetched)),
    tokenizer: await tokenizerOf(objects, reference, {}),
    index: index && (await objects.get(index)),
  };
}

/** The same without its weights. */
async function openForTrainer(name: string, connections: Connections): Promise<OpenCheckpoint<SampledModel>> {
  const found = await findTrained(name, connections);
  const objects = await connections.objects();
  return { ...found, model: await readSampledModel({ objects }, found.origin.manifest) };
}

async function findTrained(name: string, { database }: Connections) {
  const origin = await findCheckpoint(await database(), name);
  await refuseUntrained(await database(), name, origin);
  const location = await locateCheckpoint(await database(), origin);
  return { name: origin.manifest.uri, origin, location };
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
export async function loadModel(
  engine: EngineThread,
  { files, weights }: Pick<ModelFolder, 'files' | 'weights'>,
): Promise<void> {
  const config: unknown = JSON.parse(new TextDecoder().decode(files.get('config.json')));
  for (const [index, file] of weights.entries())
    await file.use((path) => engine.call('readWeights', { config, file: path, first: index === 0 }));
  await engine.call('load', { config, model: null, moments: null, reference: null, withReference: false });
}

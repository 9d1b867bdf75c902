/** `r1 export`. */
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { z } from 'zod';
import { readManifest } from '../../activities/checkpoints/checkpoint-files.ts';
import { exportedCheckpointSchema, type ShowDocument } from '../../contracts/documents.ts';
import type { RunPlan } from '../../contracts/plan.ts';
import type { Reference } from '../../contracts/reference.ts';
import { CHECKPOINT_FILE, declareDtype } from '../../engine/weights/model-folder.ts';
import { getDataset } from '../../stores/data/datasets.ts';
import type { Queryable } from '../../stores/database/database.ts';
import type { ObjectStore } from '../../stores/objects/objects.ts';
import { getRun } from '../../stores/runs/runs.ts';
import { InputError } from '../errors.ts';
import { size } from '../output/figures.ts';
import { refuseOccupied } from '../output/new-file.ts';
import { examples, jsonOption, printDocument, printLine } from '../output/output.ts';
import { readShow } from '../run/run-rows.ts';
import { type Connections, withConnections } from '../stack/connections.ts';
import { locationText } from './checkpoint-location.ts';
import { EXPORT_DTYPES, exportWeights } from './export-weights.ts';
import { type ModelCardInput, modelCard } from './model-card.ts';
import { locateModel, refuseOther } from './model-location.ts';
import { openStored, type StoredModel } from './open-model.ts';

export const commands = { export: defineExport };

function defineExport(command: Command): void {
  command
    .description(
      'Write a checkpoint as a Hugging Face folder for transformers and other tools, with a model card: licence, ' +
        'base, recipe and evaluation.',
    )
    .argument('<checkpoint>', 'RUN, RUN/STAGE, RUN/STAGE@STEP, or s3://…/manifest.json')
    .argument('<dir>', 'folder to write, empty or new')
    .addOption(
      new Option(
        '--dtype <dtype>',
        'write the weights in this type (default: the one that they are stored in)',
      ).choices(Object.keys(EXPORT_DTYPES)),
    )
    .option(...jsonOption('export'))
    .addHelpText(
      'after',
      examples('r1 export nano-r1-1 my-model', 'r1 export nano-r1-1/reward-model/safety@60 my-scorer'),
    )
    .action(exportCheckpoint);
}

interface ExportOptions {
  dtype?: keyof typeof EXPORT_DTYPES;
  json?: boolean;
}

async function exportCheckpoint(name: string, dir: string, { dtype, json }: ExportOptions): Promise<void> {
  const folder = resolve(dir);
  await refuseModel(name);
  await refuseOccupied(folder);
  await withConnections(async (connections) => {
    const opened = await openStored(name, connections);
    const stored = { ...opened, objects: await connections.objects(), uri: opened.name };
    const written = await exportWeights(stored, folder, dtype === undefined ? null : EXPORT_DTYPES[dtype]);
    const model = { ...opened, digest: written.digest, files: declareDtype(filesOf(opened), written.dtype) };
    const files = new Map([
      ...model.files,
      ['README.md', encoded(modelCard(await readCardInput(model, written.files, connections)))],
      [CHECKPOINT_FILE, encoded(declaration(model))],
    ]);
    await writeFiles(folder, files);
    const { run, stage, step, state, nextSave } = opened.location;
    const document = {
      ...{ checkpoint: opened.name, run, stage, step, steps: state.steps, nextSave },
      ...{ folder, files: [...files.keys(), ...written.files].sort() },
    };
    if (json) return printDocument('export', document);
    const bytes = [...files.values()].reduce((sum, { length }) => sum + length, written.bytes);
    printLine(locationText(opened.location));
    printLine(`${folder}: ${document.files.join(', ')} (${size(bytes)})`);
  });
}

/** Only checkpoints of runs are exported: a model's folder already has the form of an export. */
async function refuseModel(name: string): Promise<void> {
  const location = await locateModel(name);
  refuseOther(name, location, 'a checkpoint of a run (RUN, RUN/STAGE, RUN/STAGE@STEP)');
  if (location.kind !== 'folder') return;
  throw new InputError(
    `${name}: expected a checkpoint of a run (RUN, RUN/STAGE, RUN/STAGE@STEP), found a folder, which has the form of an export already.`,
  );
}

/** Without the generation config of a reward model, which generates nothing. */
function filesOf({ files }: StoredModel): Map<string, Uint8Array> {
  const { architectures } = configSchema.parse(
    JSON.parse(new TextDecoder().decode(files.get('config.json'))),
  );
  const generates = !architectures?.some((name) => name.endsWith('ForSequenceClassification'));
  return new Map([...files].filter(([name]) => generates || name !== 'generation_config.json'));
}

const configSchema = z.looseObject({ architectures: z.array(z.string()).nullish() });

function declaration({ name, digest, origin }: StoredModel): string {
  const { run, stage, step } = origin;
  const document = exportedCheckpointSchema.parse({ run, stage, step, checkpoint: name, digest });
  return `${JSON.stringify(document, null, 2)}\n`;
}

const encoded = (text: string) => new TextEncoder().encode(text);

/** The configuration is written last, after the weights: a folder without it is no model. */
async function writeFiles(folder: string, files: ReadonlyMap<string, Uint8Array>): Promise<void> {
  const ordered = [...files].sort(([a], [b]) => Number(a === 'config.json') - Number(b === 'config.json'));
  for (const [name, bytes] of ordered) await writeFile(join(folder, name), bytes);
}

async function readCardInput(
  { digest, files, tokenizer, origin: { run, stage, step } }: StoredModel,
  weights: readonly string[],
  { database, objects }: Connections,
): Promise<ModelCardInput> {
  const reader = await database();
  const { recipe, plan } = await getRun(reader, run);
  const { evaluations, stages } = await readShow(reader, run);
  return {
    run,
    stage,
    step,
    digest,
    recipe,
    seed: plan.seed,
    promptSet: plan.promptSet,
    models: await modelsOf(await objects(), plan),
    data: await dataOf(reader, plan, stages),
    evaluations,
    measure: stages.find((found) => found.stage === stage)?.measure ?? null,
    files: [...files.keys(), ...weights],
    hasChatTemplate: tokenizer.hasChatTemplate,
  };
}

/** The imported models that stages start from. */
async function modelsOf(objects: ObjectStore, { stages }: RunPlan): Promise<ModelCardInput['models']> {
  const models: Record<string, ModelCardInput['models'][string]> = {};
  for (const { origin } of stages) {
    if (origin.kind !== 'model' || origin.name in models) continue;
    const { manifest, digests } = origin.checkpoint;
    models[origin.name] = { digest: digests.weights, card: await readCard(objects, manifest) };
  }
  return models;
}

async function readCard(objects: ObjectStore, manifest: Reference): Promise<string | null> {
  const { 'README.md': card } = (await readManifest(objects, manifest)).files;
  return card === undefined ? null : new TextDecoder().decode(await objects.get(card));
}

/** Data of each stage besides prompts: data sets and preferences. */
async function dataOf(
  reader: Queryable,
  plan: RunPlan,
  stages: ShowDocument['stages'],
): Promise<ModelCardInput['data']> {
  const data: Record<string, { name: string; digest: string }> = {};
  for (const { stage, dataset } of stages) {
    if (dataset === null) continue;
    const { name, version, digest } = await getDataset(reader, dataset);
    data[stage] = { name: `${name}@${version}`, digest };
  }
  for (const stage of plan.stages)
    if (stage.algorithm === 'reward-model')
      data[stage.stage] = { name: 'preferences', digest: stage.preferences };
  return data;
}

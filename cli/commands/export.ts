import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import type { RunPlan } from '../../contracts/activities.ts';
import { exportedCheckpointSchema, type ShowDocument } from '../../contracts/documents.ts';
import { CHECKPOINT_FILE } from '../../engine/model-folder.ts';
import { WEIGHTS_FILE } from '../../engine/weights.ts';
import type { Queryable } from '../../stores/database.ts';
import { getDataset } from '../../stores/datasets.ts';
import { getRun } from '../../stores/runs.ts';
import { type Connections, withConnections } from '../connections.ts';
import { InputError } from '../errors.ts';
import { size } from '../figures.ts';
import { type ModelCardInput, modelCard } from '../model-card.ts';
import { type OpenCheckpoint, type OpenModel, openCheckpoint } from '../open-model.ts';
import { examples, printDocument, printLine } from '../output.ts';
import { readShow } from '../run-rows.ts';

export function define(command: Command): void {
  command
    .description(
      'Writes a checkpoint as a plain Hugging Face folder, which transformers and others load as it is, with a ' +
        'model card: licence, base, recipe and evaluation.',
    )
    .argument('<checkpoint>', 'RUN, RUN/STAGE, RUN/STAGE@STEP, or s3://…/manifest.json')
    .argument('<dir>', 'folder to write; must be empty or new')
    .option('--json', 'print one document (contracts/schemas/export.json)')
    .addHelpText(
      'after',
      examples('r1 export nano-zero-1 my-model', 'r1 export nano-zero-1/zero@40 my-model'),
    )
    .action(exportCheckpoint);
}

async function exportCheckpoint(name: string, dir: string, { json }: { json?: boolean }): Promise<void> {
  const folder = resolve(dir);
  await refuseOccupied(folder, dir);
  await withConnections(async (connections) => {
    const opened = await openCheckpoint(name, connections);
    const files = new Map([
      ...opened.model.files,
      ['README.md', encoded(await card(opened, connections))],
      [CHECKPOINT_FILE, encoded(declaration(opened))],
    ]);
    await writeFiles(folder, files);
    const document = { checkpoint: opened.name, folder, files: [...files.keys()].sort() };
    if (json) return printDocument('export', document);
    const bytes = [...files.values()].reduce((sum, { length }) => sum + length, 0);
    printLine(`${folder}: ${document.files.join(', ')} (${size(bytes)})`);
  });
}

async function refuseOccupied(folder: string, dir: string): Promise<void> {
  const found = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw new InputError(`${dir}: expected an empty or new folder, found ${error.message}`);
  });
  if (found.length === 0) return;
  throw new InputError(
    `${dir}: expected an empty or new folder, found one that holds ${found.slice(0, 3).join(', ')}. Choose another.`,
  );
}

async function card({ model, origin }: OpenCheckpoint, { database }: Connections): Promise<string> {
  const reader = await database();
  const [{ recipe, plan }, { evaluations, stages }] = await Promise.all([
    getRun(reader, origin.run),
    readShow(reader, origin.run),
  ]);
  const baseCard = cardOf(model.files);
  const { run, stage, step } = origin;
  return modelCard({
    run,
    stage,
    step,
    digest: model.digest,
    recipe,
    seed: plan.seed,
    promptSet: plan.promptSet,
    data: await dataOf(reader, plan, stages),
    evaluations,
    baseCard,
  });
}

/** What each stage was trained on besides prompts: made examples, imported preferences. */
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

function declaration({ name, model, origin }: OpenCheckpoint): string {
  const { run, stage, step } = origin;
  const document = exportedCheckpointSchema.parse({
    run,
    stage,
    step,
    checkpoint: name,
    digest: model.digest,
  });
  return `${JSON.stringify(document, null, 2)}\n`;
}

const encoded = (text: string) => new TextEncoder().encode(text);

function cardOf(files: OpenModel['model']['files']): string | null {
  const bytes = files.get('README.md');
  return bytes === undefined ? null : new TextDecoder().decode(bytes);
}

/** The weights last: a folder without them was not finished. */
async function writeFiles(folder: string, files: ReadonlyMap<string, Uint8Array>): Promise<void> {
  await mkdir(folder, { recursive: true });
  const ordered = [...files].sort(([a], [b]) => Number(a === WEIGHTS_FILE) - Number(b === WEIGHTS_FILE));
  for (const [name, bytes] of ordered) await writeFile(join(folder, name), bytes);
}

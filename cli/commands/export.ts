import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { exportedCheckpointSchema } from '../../contracts/documents.ts';
import { isRewardModel } from '../../engine/model/architecture.ts';
import { parseModelConfig } from '../../engine/model/model-config.ts';
import { CHECKPOINT_FILE } from '../../engine/weights/model-folder.ts';
import { WEIGHTS_FILE } from '../../engine/weights/weights.ts';
import { InputError } from '../errors.ts';
import { readCardInput } from '../models/card-input.ts';
import { placeText } from '../models/checkpoint-location.ts';
import { modelCard } from '../models/model-card.ts';
import { lookAtModel, refuseOther } from '../models/model-location.ts';
import { type OpenCheckpoint, type OpenModel, openCheckpoint } from '../models/open-model.ts';
import { size } from '../output/figures.ts';
import { examples, printDocument, printLine } from '../output/output.ts';
import { withConnections } from '../stack/connections.ts';

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
      examples('r1 export nano-r1-1 my-model', 'r1 export nano-r1-1/reward-model/safety@60 my-scorer'),
    )
    .action(exportCheckpoint);
}

async function exportCheckpoint(name: string, dir: string, { json }: { json?: boolean }): Promise<void> {
  const folder = resolve(dir);
  await refuseModel(name);
  await refuseOccupied(folder, dir);
  await withConnections(async (connections) => {
    const opened = await openCheckpoint(name, connections, { parseConfig: parseModelConfig });
    const files = new Map([
      ...filesOf(opened.model),
      ['README.md', encoded(modelCard(await readCardInput(opened, connections)))],
      [CHECKPOINT_FILE, encoded(declaration(opened))],
    ]);
    await writeFiles(folder, files);
    const { run, stage, step, standing, nextSave } = opened.place;
    const document = {
      ...{ checkpoint: opened.name, run, stage, step, steps: standing.steps, nextSave },
      ...{ folder, files: [...files.keys()].sort() },
    };
    if (json) return printDocument('export', document);
    const bytes = [...files.values()].reduce((sum, { length }) => sum + length, 0);
    printLine(placeText(opened.place));
    printLine(`${folder}: ${document.files.join(', ')} (${size(bytes)})`);
  });
}

/** What is exported is a run's: other models are in the form of an export already, or are not read. */
async function refuseModel(name: string): Promise<void> {
  const place = await lookAtModel(name);
  refuseOther(name, place, 'a checkpoint of a run (RUN, RUN/STAGE, RUN/STAGE@STEP)');
  if (place.kind !== 'folder') return;
  throw new InputError(
    `${name}: expected a checkpoint of a run (RUN, RUN/STAGE, RUN/STAGE@STEP), found a folder, which has the form of an export already.`,
  );
}

/** A reward model is asked for no text. */
function filesOf({ config, files }: OpenModel['model']): Map<string, Uint8Array> {
  const kept = [...files].filter(([name]) => !isRewardModel(config) || name !== 'generation_config.json');
  return new Map(kept);
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

/** The weights last: a folder without them was not finished. */
async function writeFiles(folder: string, files: ReadonlyMap<string, Uint8Array>): Promise<void> {
  await mkdir(folder, { recursive: true });
  const ordered = [...files].sort(([a], [b]) => Number(a === WEIGHTS_FILE) - Number(b === WEIGHTS_FILE));
  for (const [name, bytes] of ordered) await writeFile(join(folder, name), bytes);
}

import type { Command } from 'commander';
import { diffRows } from '../../stores/data/dataset-rows.ts';
import { findDataset, readOrigins } from '../../stores/data/datasets.ts';
import { datasetDocumentOf, datasetText, diffDocumentOf, diffText } from '../data/dataset-view.ts';
import { formatOf, openR1Rows, writeRows } from '../data/export-dataset.ts';
import { examples, printDocument, printLine } from '../output/output.ts';
import { withConnections } from '../stack/connections.ts';

const NAME = 'NAME (its last version) or NAME@VERSION';

interface Options {
  json?: boolean;
}

export function define(command: Command): void {
  command
    .description('Shows a data set, compares two, or writes one to a file.')
    .addHelpText(
      'after',
      examples(
        'r1 dataset show nano-r1-1-rejection-sft',
        'r1 dataset diff nano-r1-1-rejection-sft@1 nano-r1-1-rejection-sft@2',
        'r1 dataset export nano-r1-1-rejection-sft data.parquet',
      ),
    );
  defineShow(command.command('show'));
  defineDiff(command.command('diff'));
  defineExport(command.command('export'));
  for (const each of command.commands) each.option('--debug', 'show where an error comes from');
}

function defineShow(command: Command): void {
  command
    .description('Shows a version: its rows, its rule, what the rule rejected and why.')
    .argument('<dataset>', NAME)
    .option('--json', 'print one document (contracts/schemas/dataset-show.json)')
    .addHelpText('after', examples('r1 dataset show nano-r1-1-rejection-sft@2 --json'))
    .action((name: string, { json }: Options) =>
      withConnections(async ({ database }) => {
        const reader = await database();
        const dataset = datasetDocumentOf(await findDataset(reader, name));
        if (json) printDocument('dataset-show', dataset);
        else printLine(datasetText(dataset, await readOrigins(reader, dataset)));
      }),
    );
}

function defineDiff(command: Command): void {
  command
    .description('Tells how two versions differ: rows by prompt and text, and fields of the rule.')
    .argument('<first>', NAME)
    .argument('<second>', NAME)
    .option('--json', 'print one document (contracts/schemas/dataset-diff.json)')
    .addHelpText('after', examples('r1 dataset diff nano-r1-1-rejection-sft@1 nano-r1-1-rejection-sft@2'))
    .action((first: string, second: string, { json }: Options) =>
      withConnections(async ({ database }) => {
        const reader = await database();
        const [a, b] = [await findDataset(reader, first), await findDataset(reader, second)];
        const diff = diffDocumentOf(a, b, await diffRows(reader, a.id, b.id));
        if (json) printDocument('dataset-diff', diff);
        else printLine(diffText(diff));
      }),
    );
}

function defineExport(command: Command): void {
  command
    .description('Writes a version to a file under the field names of Open-R1.')
    .argument('<dataset>', NAME)
    .argument('<file>', 'new file, by its ending JSON lines (.jsonl) or Parquet (.parquet)')
    .addHelpText('after', examples('r1 dataset export nano-r1-1-rejection-sft@2 data.parquet'))
    .action((name: string, path: string) => {
      formatOf(path);
      return withConnections(async ({ database, objects }) => {
        const reader = await database();
        const dataset = await findDataset(reader, name);
        await writeRows(path, openR1Rows(reader, await objects(), dataset));
        printLine(`${path}: ${dataset.rows} rows of ${dataset.name}@${dataset.version}`);
      });
    });
}

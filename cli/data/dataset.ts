/** `r1 datasets` and `r1 dataset`: data sets as documents and as text. */
import type { Command } from 'commander';
import type {
  DatasetDiffDocument,
  DatasetDocument,
  DatasetsDocument,
} from '../../contracts/dataset-documents.ts';
import type { DatasetRule } from '../../contracts/datasets.ts';
import { diffRows, type RowsDiff } from '../../stores/data/dataset-rows.ts';
import {
  type Dataset,
  type DatasetOrigins,
  findDataset,
  listDatasets,
  readOrigins,
} from '../../stores/data/datasets.ts';
import { dateTime, short } from '../output/figures.ts';
import { examples, jsonOption, printDocument, printLine, printResult, tableText } from '../output/output.ts';
import { withConnections } from '../stack/connections.ts';
import { formatOf, openR1Rows, writeRows } from './export-dataset.ts';

export const commands = { datasets: defineDatasets, dataset: defineDataset };

function defineDatasets(command: Command): void {
  command
    .description('List all versions of all data sets, latest first.')
    .option(...jsonOption('datasets'))
    .addHelpText('after', examples('r1 datasets', 'r1 datasets --json'))
    .action(({ json }: { json?: boolean }) =>
      withConnections(async ({ database }) => {
        const datasets = datasetsDocumentOf(await listDatasets(await database()));
        printResult(json, 'datasets', datasets, datasetsText);
      }),
    );
}

const NAME = 'NAME (latest version) or NAME@VERSION';

interface Options {
  json?: boolean;
}

function defineDataset(command: Command): void {
  command
    .description('Show a data set, compare two, or write one to a file.')
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
}

function defineShow(command: Command): void {
  command
    .description('Show a version: its rows, its rule, and the rejected samples by reason.')
    .argument('<dataset>', NAME)
    .option(...jsonOption('dataset-show'))
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
    .description('Compare two versions: rows by prompt and text, and fields of the rule.')
    .argument('<first>', NAME)
    .argument('<second>', NAME)
    .option(...jsonOption('dataset-diff'))
    .addHelpText('after', examples('r1 dataset diff nano-r1-1-rejection-sft@1 nano-r1-1-rejection-sft@2'))
    .action((first: string, second: string, { json }: Options) =>
      withConnections(async ({ database }) => {
        const reader = await database();
        const [a, b] = [await findDataset(reader, first), await findDataset(reader, second)];
        const diff = diffDocumentOf(a, b, await diffRows(reader, a.id, b.id));
        printResult(json, 'dataset-diff', diff, diffText);
      }),
    );
}

function defineExport(command: Command): void {
  command
    .description('Write a version to a file under the field names of Open-R1.')
    .argument('<dataset>', NAME)
    .argument('<file>', 'new file: JSON lines (.jsonl) or Parquet (.parquet)')
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

const summaryOf = ({ name, version, digest, frozenAt, rows }: Dataset) => ({
  name,
  version,
  digest,
  frozen: frozenAt !== null,
  rows,
});

const datasetsDocumentOf = (datasets: readonly Dataset[]): DatasetsDocument =>
  datasets.map((dataset) => ({ ...summaryOf(dataset), createdAt: dataset.createdAt }));

export const datasetDocumentOf = (dataset: Dataset): DatasetDocument => ({
  ...summaryOf(dataset),
  rejected: dataset.rejected,
  policy: dataset.policy,
  rule: dataset.rule,
});

export const diffDocumentOf = (first: Dataset, second: Dataset, rows: RowsDiff): DatasetDiffDocument => ({
  first: summaryOf(first),
  second: summaryOf(second),
  ...rows,
  rule: differingFields(first.rule, second.rule),
});

function differingFields(first: DatasetRule, second: DatasetRule): DatasetDiffDocument['rule'] {
  const [a, b] = [fieldsOf(first), fieldsOf(second)];
  return [...new Set([...Object.keys(a), ...Object.keys(b)])]
    .filter((field) => JSON.stringify(a[field]) !== JSON.stringify(b[field]))
    .map((field) => ({ field, first: a[field] ?? null, second: b[field] ?? null }));
}

const fieldsOf = ({ selection, include }: DatasetRule): Record<string, unknown> => ({
  ...selection,
  include,
});

function datasetsText(datasets: DatasetsDocument): string {
  if (datasets.length === 0) return 'No data set yet. They are made by the supervised stages of runs.';
  const rows = datasets.map(({ name, version, rows: count, frozen, digest, createdAt }) => [
    `${name}@${version}`,
    String(count),
    frozen ? 'frozen' : '',
    short(digest),
    dateTime(createdAt),
  ]);
  return tableText(['data set', 'rows', 'state', 'digest', 'created'], rows);
}

/** The data set, the origin of its rows, what its rule rejected, and the rule. */
export function datasetText(
  { name, version, digest, frozen, rows, rejected, policy, rule }: DatasetDocument,
  { sampledBy, included }: DatasetOrigins,
): string {
  const joined = included.reduce((sum, set) => sum + set.rows, 0);
  const refused = Object.entries(rejected).sort(([, a], [, b]) => b - a);
  const sampled = rows - joined + refused.reduce((sum, [, count]) => sum + count, 0);
  const origins = [
    ...(sampledBy.length === 0
      ? []
      : [`${rows - joined} kept of ${sampled} samples of ${sampledBy.join(', ')} (policy ${short(policy)})`]),
    ...included.map((set) => `${set.rows} joined from ${set.name}@${set.version}`),
  ];
  return [
    `${name}@${version}  ·  ${rows} rows  ·  ${frozen ? 'frozen' : 'not frozen'}  ·  ${digest}`,
    ...(origins.length === 0 ? [] : [origins.join('\n')]),
    ...(refused.length === 0
      ? []
      : [
          tableText(
            ['rejected', 'samples'],
            refused.map(([reason, count]) => [reason, String(count)]),
          ),
        ]),
    ...ruleText(rule),
  ].join('\n\n');
}

/** The fields of a selection that are set. */
function ruleText({ selection }: DatasetRule): string[] {
  const fields = Object.entries(selection ?? {}).filter(([, value]) => value !== null && value !== false);
  if (fields.length === 0) return [];
  return [
    tableText(
      ['rule', ''],
      fields.map(([field, value]) => [field, valueText(value)]),
    ),
  ];
}

/** `2`, `code, math`, `similarity 0.8, unit words, size 5`; digests by their first digits. */
function valueText(value: unknown): string {
  if (value === null || value === undefined) return '–';
  if (Array.isArray(value)) return value.length === 0 ? '–' : value.map(valueText).join(', ');
  if (typeof value === 'object')
    return Object.entries(value)
      .map(([field, inner]) => `${field} ${valueText(inner)}`)
      .join(', ');
  const text = value === true ? 'yes' : value === false ? 'no' : String(value);
  return /^[0-9a-f]{64}$/.test(text) ? short(text) : text;
}

export function diffText({
  first,
  second,
  common,
  onlyFirst,
  onlySecond,
  rule,
}: DatasetDiffDocument): string {
  const [a, b] = [first, second].map(({ name, version }) => `${name}@${version}`);
  const counts = tableText(
    ['', 'rows'],
    [
      ['in both', String(common)],
      [`only in ${a}`, String(onlyFirst)],
      [`only in ${b}`, String(onlySecond)],
    ],
  );
  if (rule.length === 0) return `${counts}\n\nThe rules are the same.`;
  const fields = rule.map(({ field, first, second }) => [field, valueText(first), valueText(second)]);
  return `${counts}\n\n${tableText(['rule', a ?? '', b ?? ''], fields)}`;
}

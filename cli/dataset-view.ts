/** Samples and data sets, as documents and as a person reads them. */
import type {
  DatasetDiffDocument,
  DatasetDocument,
  DatasetsDocument,
  SampleDocument,
} from '../contracts/dataset-documents.ts';
import type { DatasetRule } from '../contracts/datasets.ts';
import type { RowsDiff } from '../stores/dataset-rows.ts';
import type { Dataset } from '../stores/datasets.ts';
import type { SampleRow } from '../stores/samples.ts';
import { moment, short } from './figures.ts';
import { tableText } from './output.ts';
import { plainText } from './plain-text.ts';

const summaryOf = ({ name, version, digest, frozenAt, rows }: Dataset) => ({
  name,
  version,
  digest,
  frozen: frozenAt !== null,
  rows,
});

export const datasetsDocumentOf = (datasets: readonly Dataset[]): DatasetsDocument =>
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

export const sampleDocumentOf = (row: SampleRow, text: string): SampleDocument => {
  const { sourceStage, checkpoint, policy, text: place, ...rest } = row;
  const { object, offset, length, sha256 } = place;
  return {
    ...rest,
    from: { stage: sourceStage, checkpoint, policy },
    at: { uri: object.uri, offset, length, sha256 },
    text,
  };
};

export function datasetsText(datasets: DatasetsDocument): string {
  if (datasets.length === 0) return 'No data set yet. A run’s supervised stages make them.';
  const rows = datasets.map(({ name, version, rows: count, frozen, digest, createdAt }) => [
    `${name}@${version}`,
    String(count),
    frozen ? 'frozen' : '',
    short(digest),
    moment(createdAt),
  ]);
  return tableText(['data set', 'rows', '', 'digest', 'made'], rows);
}

export function datasetText({
  name,
  version,
  digest,
  frozen,
  rows,
  rejected,
  policy,
  rule,
}: DatasetDocument) {
  const reasons = Object.entries(rejected);
  return [
    `${name}@${version}  ·  ${rows} rows  ·  ${frozen ? 'frozen' : 'not used yet'}  ·  ${digest}`,
    `sampled by ${policy === null ? 'no one policy' : `the policy ${policy}`}`,
    ...(reasons.length === 0
      ? []
      : [
          tableText(
            ['rejected', 'samples'],
            reasons.map(([reason, count]) => [reason, String(count)]),
          ),
        ]),
    tableText(
      ['rule', ''],
      Object.entries(fieldsOf(rule)).map(([field, value]) => [field, JSON.stringify(value)]),
    ),
  ].join('\n\n');
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
  const fields = rule.map((each) => [each.field, JSON.stringify(each.first), JSON.stringify(each.second)]);
  return `${counts}\n\n${tableText(['rule', a ?? '', b ?? ''], fields)}`;
}

const PROBLEM_CHARACTERS = 40;
const TEXT_CHARACTERS = 90;

export function samplesText(samples: readonly SampleDocument[]): string {
  if (samples.length === 0) return 'No such sample.';
  const rows = samples.map(({ stage, part, sequence, reason, rewards, tokens, problem, text }) => [
    `${stage} ${part}/${sequence}`,
    reason ?? 'accepted',
    Object.entries(rewards)
      .map(([name, verdict]) => `${name} ${'score' in verdict ? verdict.score : verdict.error.kind}`)
      .join(', '),
    String(tokens),
    plainText(problem, PROBLEM_CHARACTERS),
    plainText(text, TEXT_CHARACTERS),
  ]);
  return tableText(['sample', '', 'rewards', 'tokens', 'problem', 'text'], rows);
}

/** What an import found, refused and left out, as text and as a document. */
import type { ImportDocument } from '../../contracts/documents.ts';
import { domainRule, judgedDomains } from '../../rewards/domains.ts';
import { tableText } from '../output/output.ts';
import type { Gathered, Refusal } from './import/gather.ts';

/** What an import has stored. */
export interface WrittenImport {
  /** digest of the prompts in their order, or of the rows' bytes */
  digest: string;
  train: number;
  test: number;
  rows: number;
}

const count = (value: number) => value.toLocaleString('en-US');

/** Rows that are printed, and rows in the document; more are only counted. */
const SHOWN = 20;
const DOCUMENTED = 1_000;

export function importDocument(
  name: string,
  gathered: Gathered,
  written: WrittenImport | null,
): ImportDocument {
  const { kind, files, prompts, rows, refused, duplicates, contaminated } = gathered;
  return {
    name,
    kind,
    files,
    rows: kind === 'prompts' ? prompts.length : rows.length,
    domains: domainsOf(gathered),
    textDomains: textDomainsOf(gathered),
    duplicates,
    refused: refused.length,
    refusals: refused.slice(0, DOCUMENTED),
    contaminated: contaminated.length,
    contaminations: contaminated.slice(0, DOCUMENTED),
    written: written === null ? null : { digest: written.digest, train: written.train, test: written.test },
  };
}

/** Prompts by domain and split. */
function domainsOf({ prompts }: Gathered): ImportDocument['domains'] {
  const domains = new Map<string, { train: number; test: number }>();
  for (const { domain, split } of prompts) {
    const counts = domains.get(domain) ?? { train: 0, test: 0 };
    counts[split]++;
    domains.set(domain, counts);
  }
  return [...domains].sort(([a], [b]) => (a < b ? -1 : 1)).map(([domain, counts]) => ({ domain, ...counts }));
}

/** Domains without a verifier. */
const textDomainsOf = ({ prompts }: Gathered) =>
  [...new Set(prompts.map(({ domain }) => domain))].filter((domain) => domainRule(domain) === null).sort();

const textDomainNote = (domain: string) =>
  `\nThe domain ${domain} has no verifier: only the exact text of the ground truth within <answer>…</answer> is correct. ` +
  `Domains with a verifier: ${judgedDomains.join(', ')}; --domain selects one if the layout names none.`;

export function reportText(document: ImportDocument, { refused, contaminated }: Gathered): string {
  const files = document.files.map(({ path, layout, rows, found }) => [
    path,
    layout,
    count(rows),
    count(found),
  ]);
  const domains = document.domains.map(({ domain, train, test }) => [domain, count(train), count(test)]);
  return [
    tableText(['file', 'layout', 'rows', 'read'], files),
    ...(domains.length > 0 ? ['', tableText(['domain', 'train', 'test'], domains)] : []),
    '',
    `${count(document.rows)} ${document.kind}; ${count(document.duplicates)} repeat an earlier row.`,
    ...listed('refused', refused),
    ...listed('left out because they share words with an evaluation', contaminated),
    ...document.textDomains.map(textDomainNote),
  ].join('\n');
}

function listed(what: string, refusals: readonly Refusal[]): string[] {
  if (refusals.length === 0) return [];
  const lines = refusals.slice(0, SHOWN).map((refusal) => `  ${refusalText(refusal)}`);
  const more = refusals.length > SHOWN ? [`  … and ${count(refusals.length - SHOWN)} more`] : [];
  return ['', `${count(refusals.length)} rows ${what}:`, ...lines, ...more];
}

/** `rows.jsonl line 7: answer: expected …` */
export const refusalText = ({ source, line, field, message }: Refusal): string =>
  `${source} line ${line}: ${field === '' ? '' : `${field}: `}${message}`;

/** Reads data files row by row, and says of each row what it is or why it is refused. Nothing is written. */
import { createHash } from 'node:crypto';
import { type EvaluationIndex, sharedWithEvaluation } from '../../algorithm/decontamination.ts';
import { normalizeProblem, type PromptRow } from '../../algorithm/prompt-row.ts';
import type { ImportedPrompt } from '../../algorithm/prompt-rows.ts';
import { Failure } from '../../contracts/failures.ts';
import { type DataKind, type ItemOf, RefusedRow } from './layout.ts';
import { type LayoutName, layoutNamed, layoutNames, layoutOf, layouts } from './layouts.ts';
import { type FoundRow, readRows } from './read-rows.ts';

export interface GatherOptions {
  /** left out: told by each file's first row */
  layout?: LayoutName | undefined;
  /** of rows and files that do not name theirs */
  split?: PromptRow['split'] | undefined;
  /** share of the training prompts to hold out, by their problems' hashes */
  holdOut?: number | undefined;
  domain?: string | undefined;
  /** what must not be learned */
  evaluations?: EvaluationIndex | undefined;
}

/** A row that is not imported, and why. */
export interface Refusal {
  source: string;
  line: number;
  field: string;
  message: string;
}

export interface FileSummary {
  path: string;
  layout: LayoutName;
  rows: number;
  found: number;
}

export interface Gathered {
  kind: DataKind;
  files: FileSummary[];
  /** of kind `prompts` */
  prompts: ImportedPrompt[];
  /** of any other kind, as they are kept */
  rows: ItemOf[Exclude<DataKind, 'prompts'>][];
  refused: Refusal[];
  /** rows equal to an earlier one */
  duplicates: number;
  /** rows left out because they share a run of words with an evaluation; `field` is where */
  contaminated: Refusal[];
}

/** Throws Failure 'InvalidInput' where a file's layout cannot be told, or files are of several kinds. */
export async function gatherRows(paths: readonly string[], options: GatherOptions): Promise<Gathered> {
  const gathering = new Gathering(options);
  for (const path of paths) await gathering.readFile(path);
  return gathering.result(paths);
}

const hashOf = (text: string) => createHash('sha256').update(text).digest('hex');

class Gathering {
  private readonly options: GatherOptions;
  private readonly files: FileSummary[] = [];
  private readonly prompts = new Map<string, ImportedPrompt>();
  private readonly rows = new Map<string, Gathered['rows'][number]>();
  private readonly refused: Refusal[] = [];
  private readonly contaminated: Refusal[] = [];
  private duplicates = 0;

  constructor(options: GatherOptions) {
    this.options = options;
  }

  result(paths: readonly string[]): Gathered {
    const [first] = this.files;
    if (first === undefined)
      throw new Failure('InvalidInput', `${paths.join(', ')}: expected at least one row, found none`);
    return {
      kind: layouts[first.layout].kind,
      files: this.files,
      prompts: [...this.prompts.values()],
      rows: [...this.rows.values()],
      refused: this.refused,
      duplicates: this.duplicates,
      contaminated: this.contaminated,
    };
  }

  async readFile(path: string): Promise<void> {
    let file: FileSummary | null = null;
    for await (const row of readRows(path)) {
      file ??= this.begin(path, row);
      file.rows++;
      const refusal = this.take(row, file);
      if (refusal === null) file.found++;
      else this.refused.push(refusal);
    }
  }

  private begin(path: string, { value, fault, line }: FoundRow): FileSummary {
    const layout = this.options.layout ?? (fault === null ? layoutOf(value) : null);
    if (layout === null) {
      const found = fault ?? `one with the fields ${Object.keys(value).join(', ')}`;
      throw new Failure(
        'InvalidInput',
        `${path} line ${line}: expected a row of a known layout, found ${found}.\n${knownLayouts()}`,
      );
    }
    const file = { path, layout, rows: 0, found: 0 };
    this.refuseOtherKind(file);
    this.files.push(file);
    return file;
  }

  private refuseOtherKind({ path, layout }: FileSummary): void {
    const [first] = this.files;
    if (first === undefined || layouts[first.layout].kind === layouts[layout].kind) return;
    throw new Failure(
      'InvalidInput',
      `${path}: expected ${layouts[first.layout].kind} as in ${first.path}, found ${layouts[layout].kind}; import them under another name`,
    );
  }

  /** Null where the row is taken, or left out for no fault of its own. */
  private take(row: FoundRow, { layout: name }: FileSummary): Refusal | null {
    const { source, line, fault, value } = row;
    const refusal = (field: string, message: string) => ({ source, line, field, message });
    if (fault !== null) return refusal('', fault);
    const layout = layoutNamed(name);
    try {
      const item = layout.read(value, this.options);
      return this.keep(item, row);
    } catch (error) {
      if (error instanceof RefusedRow) return refusal(error.field, error.message);
      throw error;
    }
  }

  private keep(item: ItemOf[DataKind], row: FoundRow): Refusal | null {
    if ('answer' in item) return this.keepPrompt(item, row);
    const key = hashOf(JSON.stringify(item));
    const shared = this.sharedBy(Object.values(item).filter((each) => typeof each === 'string'));
    if (shared !== null) this.contaminated.push(refusalOf(row, 'text', shared));
    else if (this.rows.has(key)) this.duplicates++;
    else this.rows.set(key, item);
    return null;
  }

  private keepPrompt(item: ItemOf['prompts'], row: FoundRow): Refusal | null {
    const hash = hashOf(normalizeProblem(item.problem));
    const split = this.splitOf(item, hash, row.source);
    const earlier = this.prompts.get(hash);
    if (earlier) return this.meet(earlier, { ...item, split }, row);
    const shared = split === 'train' ? this.sharedBy([item.problem]) : null;
    if (shared !== null) this.contaminated.push(refusalOf(row, 'problem', shared));
    else this.prompts.set(hash, { ...item, split, hash, source: row.source, line: row.line });
    return null;
  }

  /** The same problem again: a duplicate, or a contradiction. */
  private meet(earlier: ImportedPrompt, prompt: PromptRow, row: FoundRow): Refusal | null {
    for (const field of ['answer', 'split'] as const) {
      if (earlier[field].trim() === prompt[field].trim()) continue;
      const before = `${JSON.stringify(earlier[field])} as on ${earlier.source} line ${earlier.line} for the same problem`;
      return refusalOf(row, field, `expected ${before}, found ${JSON.stringify(prompt[field])}`);
    }
    this.duplicates++;
    return null;
  }

  private splitOf({ split }: ItemOf['prompts'], hash: string, source: string): PromptRow['split'] {
    const named = split ?? this.options.split ?? splitOfFile(source);
    if (named !== undefined) return named;
    // the hash's first 32 bits as a share of all that they can be
    const place = Number.parseInt(hash.slice(0, 8), 16) / 2 ** 32;
    return place < (this.options.holdOut ?? 0) ? 'test' : 'train';
  }

  private sharedBy(texts: readonly string[]): string | null {
    const { evaluations } = this.options;
    if (evaluations === undefined) return null;
    for (const text of texts) {
      const shared = sharedWithEvaluation(evaluations, text);
      if (shared !== null) return shared;
    }
    return null;
  }
}

/** Files and folders of held-out rows say so in their names: `test-00000-of-00001.parquet`. */
function splitOfFile(source: string): PromptRow['split'] | undefined {
  const words = (source.split('/').at(-1) ?? '').toLowerCase().split(/[^a-z]+/);
  if (words.some((word) => ['test', 'validation', 'valid', 'val', 'dev', 'eval'].includes(word)))
    return 'test';
  return words.includes('train') ? 'train' : undefined;
}

function refusalOf({ source, line }: FoundRow, field: string, message: string): Refusal {
  return { source, line, field, message };
}

/** What can be read, one layout a line. */
export function knownLayouts(): string {
  const lines = layoutNames.map((name) => `  ${name} (${layouts[name].kind}): ${layouts[name].fields}`);
  return ['Known layouts, by their fields:', ...lines].join('\n');
}

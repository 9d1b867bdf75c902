/** Reads data files and decides for each row what it is, or why it is refused. Writes nothing. */
import { createHash } from 'node:crypto';
import {
  type EvaluationIndex,
  indexBeside,
  sharedWithEvaluation,
} from '../../../algorithm/data/decontamination.ts';
import { normalizeProblem } from '../../../algorithm/data/prompt-row.ts';
import type { ImportedPrompt } from '../../../algorithm/data/prompt-rows.ts';
import { Failure } from '../../../contracts/failures.ts';
import { brokenText } from '../text-file.ts';
import { type DataKind, type ItemOf, RefusedRow, type Row } from './layout.ts';
import { type LayoutName, layoutNamed, layoutNames, layoutOf, layouts } from './layouts.ts';
import { type DataFile, type FoundRow, readRows } from './read-rows.ts';
import { type Split, splitOfFile, splitOfRow } from './splits.ts';

export interface GatherOptions {
  /** left out: decided from the first rows of each file */
  layout?: LayoutName | undefined;
  /** for rows that do not name a split */
  split?: Split | undefined;
  /** share of the training prompts to hold out, chosen by hash, where nothing names a split */
  holdOut?: number | undefined;
  domain?: string | undefined;
  /** problems that must not be trained on */
  evaluations?: EvaluationIndex | undefined;
}

/** A refused row. */
export interface Refusal {
  source: string;
  line: number;
  field: string;
  message: string;
}

interface FileSummary {
  path: string;
  layout: LayoutName;
  rows: number;
  found: number;
}

/** A kept row of any kind but prompts. */
type KeptRow = ItemOf[Exclude<DataKind, 'prompts'>] & { split?: Split };

export interface Gathered {
  kind: DataKind;
  files: FileSummary[];
  /** rows of the kind `prompts` */
  prompts: ImportedPrompt[];
  /** rows of any other kind, with their splits where one is held out */
  rows: KeptRow[];
  refused: Refusal[];
  /** rows equal to an earlier one */
  duplicates: number;
  /** rows left out because they share text with an evaluation; `field` says where */
  contaminated: Refusal[];
}

/** Throws Failure 'InvalidInput' where the layout of a file is unknown, or the files are of several kinds. */
export async function gatherRows(
  given: readonly (string | DataFile)[],
  options: GatherOptions,
): Promise<Gathered> {
  const gathering = new Gathering(options);
  const files = given.map((file) => (typeof file === 'string' ? { path: file, folder: null } : file));
  for (const file of files) await gathering.readFile(file);
  return gathering.result(files);
}

const hashOf = (text: string) => createHash('sha256').update(text).digest('hex');

/** A readable row and its split. */
interface Pending {
  found: FoundRow;
  file: FileSummary;
  item: ItemOf[DataKind];
  split: Split;
  /** of the normalised problem or prompt, which must not be in both splits */
  hash: string;
}

/** Rows that decide the layout of a file. */
const DECIDING_ROWS = 100;

class Gathering {
  private readonly options: GatherOptions;
  private readonly files: FileSummary[] = [];
  /** in the order of files and lines */
  private readonly pending: (Pending | Refusal)[] = [];

  constructor(options: GatherOptions) {
    this.options = options;
  }

  result(given: readonly DataFile[]): Gathered {
    const [first] = this.files;
    if (first === undefined) {
      const paths = given.map(({ path }) => path).join(', ');
      throw new Failure('InvalidInput', `${paths}: expected at least one row, found none`);
    }
    const kept = new Keeping(this.pending.filter(isPending), this.options.evaluations);
    for (const each of this.pending) kept.add(each);
    return { kind: layouts[first.layout].kind, files: this.files, ...kept.result() };
  }

  async readFile(file: DataFile): Promise<void> {
    const split = this.options.split ?? splitOfFile(file);
    let summary: FileSummary | null = null;
    let undecided: FoundRow[] = [];
    for await (const row of readRows(file.path)) {
      if (summary !== null) this.take(row, summary, split);
      else undecided.push(row);
      if (summary !== null || undecided.length < DECIDING_ROWS) continue;
      summary = this.begin(file.path, undecided);
      for (const each of undecided) this.take(each, summary, split);
      undecided = [];
    }
    if (undecided.length === 0) return;
    const last = this.begin(file.path, undecided);
    for (const each of undecided) this.take(each, last, split);
  }

  private begin(path: string, rows: readonly FoundRow[]): FileSummary {
    const values = rows.flatMap(({ fault, value }) => (fault === null ? [value] : []));
    const layout = this.options.layout ?? layoutOf(values);
    if (layout === null) {
      const [first] = rows;
      const found = first?.fault
        ? `another: ${first.fault}`
        : `one with the fields ${Object.keys(first?.value ?? {}).join(', ')}`;
      throw new Failure(
        'InvalidInput',
        `${path} line ${first?.line}: expected a row of a known layout, found ${found}.\n${knownLayouts()}`,
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

  private take(found: FoundRow, file: FileSummary, named: Split | null): void {
    file.rows++;
    try {
      this.pending.push(this.read(found, file, named));
    } catch (error) {
      if (!(error instanceof RefusedRow)) throw error;
      this.pending.push(refusalOf(found, error.field, error.message));
    }
  }

  /** Throws RefusedRow. */
  private read(found: FoundRow, file: FileSummary, named: Split | null): Pending {
    if (found.fault !== null) throw new RefusedRow('', found.fault);
    const item = layoutNamed(file.layout).read(found.value, this.options);
    refuseBroken(item, found.value);
    const own = splitOfRow(found.value);
    const hash = hashOf(normalizeProblem('problem' in item ? item.problem : item.prompt));
    const split = own ?? named ?? this.drawnSplit(item, hash);
    if (layouts[file.layout].kind === 'examples') refuseHeldOut(split, own);
    return { found, file, item, split, hash };
  }

  /** Held out by the first 32 bits of the hash; only prompts are. */
  private drawnSplit(item: ItemOf[DataKind], hash: string): Split {
    const drawn = Number.parseInt(hash.slice(0, 8), 16) / 2 ** 32;
    return 'answer' in item && drawn < (this.options.holdOut ?? 0) ? 'test' : 'train';
  }
}

function refuseHeldOut(split: Split, own: Split | null): void {
  if (split === 'train') return;
  const says = own === null ? 'the name of a file or folder, or --split' : 'the row’s split';
  const next = own === null ? 'Pass --split train to train on it anyway' : 'Leave the row out';
  throw new RefusedRow('split', `expected an example to learn from, found one held out by ${says}. ${next}`);
}

/** Refuses a row with characters that cannot be stored. */
function refuseBroken(item: object, row: Row): void {
  const fault = brokenText(item);
  if (fault === null) return;
  const field = Object.keys(row).find((each) => brokenText(row[each]) !== null) ?? '';
  throw new RefusedRow(field, `expected text of whole characters, found ${fault}`);
}

const isPending = (each: Pending | Refusal): each is Pending => 'item' in each;

/** Keeps rows in their order, without duplicates, contradictions and contaminated rows. */
class Keeping {
  /** the first held-out row of each problem, by its hash */
  private readonly heldOut: ReadonlyMap<string, FoundRow>;
  private readonly evaluations: EvaluationIndex | null;
  private readonly prompts = new Map<string, ImportedPrompt>();
  private readonly rows = new Map<string, KeptRow>();
  private readonly refused: Refusal[] = [];
  private readonly contaminated: Refusal[] = [];
  private duplicates = 0;

  constructor(pending: readonly Pending[], evaluations: EvaluationIndex | undefined) {
    const test = pending.filter(({ split }) => split === 'test');
    this.heldOut = new Map(test.reverse().map(({ hash, found }) => [hash, found]));
    const learned = pending.filter(({ split }) => split === 'train').map(({ item }) => textsOf(item));
    this.evaluations = evaluations === undefined ? null : indexBeside(evaluations, learned);
  }

  result(): Pick<Gathered, 'prompts' | 'rows' | 'refused' | 'duplicates' | 'contaminated'> {
    const { refused, duplicates, contaminated } = this;
    const rows = [...this.rows.values()];
    const isSplit = rows.some(({ split }) => split === 'test');
    return {
      prompts: [...this.prompts.values()],
      rows: isSplit ? rows : rows.map(({ split, ...row }) => row),
      refused,
      duplicates,
      contaminated,
    };
  }

  add(each: Pending | Refusal): void {
    const refusal = isPending(each) ? this.keep(each) : each;
    if (refusal !== null) this.refused.push(refusal);
    else if (isPending(each)) each.file.found++;
  }

  /** Null where the row is kept, or left out without being wrong. */
  private keep(row: Pending): Refusal | null {
    const { found, split, hash, item } = row;
    const measured = split === 'train' ? this.heldOut.get(hash) : undefined;
    if (measured !== undefined)
      return refusalOf(
        found,
        'split',
        `expected a problem that is not held out, found that of ${measured.source} line ${measured.line}`,
      );
    if ('answer' in item) return this.keepPrompt(row, item);
    const key = hashOf(JSON.stringify(item));
    const shared = split === 'train' ? this.sharedBy(item) : null;
    if (shared !== null) this.contaminated.push(refusalOf(found, 'text', shared));
    else if (this.rows.has(key)) this.duplicates++;
    else this.rows.set(key, { ...item, split });
    return null;
  }

  private keepPrompt({ found, split, hash }: Pending, item: ItemOf['prompts']): Refusal | null {
    const earlier = this.prompts.get(hash);
    if (earlier !== undefined && earlier.answer.trim() !== item.answer.trim()) {
      const before = `${JSON.stringify(earlier.answer)} as on ${earlier.source} line ${earlier.line} for the same problem`;
      return refusalOf(found, 'answer', `expected ${before}, found ${JSON.stringify(item.answer)}`);
    }
    const shared = split === 'train' && earlier === undefined ? this.sharedBy(item) : null;
    if (shared !== null) this.contaminated.push(refusalOf(found, 'problem', shared));
    else if (earlier !== undefined) this.duplicates++;
    else this.prompts.set(hash, { ...item, split, hash, source: found.source, line: found.line });
    return null;
  }

  private sharedBy(item: ItemOf[DataKind]): string | null {
    if (this.evaluations === null) return null;
    for (const text of textsOf(item)) {
      const shared = sharedWithEvaluation(this.evaluations, text);
      if (shared !== null) return shared;
    }
    return null;
  }
}

/** The texts of a row that are trained on. */
function textsOf(item: ItemOf[DataKind]): string[] {
  if ('answer' in item) return [item.problem];
  return Object.values(item satisfies Row).filter((each) => typeof each === 'string');
}

function refusalOf({ source, line }: FoundRow, field: string, message: string): Refusal {
  return { source, line, field, message };
}

/** The supported layouts, one per line. */
export function knownLayouts(): string {
  const lines = layoutNames.map((name) => `  ${name} (${layouts[name].kind}): ${layouts[name].fields}`);
  return ['Known layouts, by their fields:', ...lines].join('\n');
}

/** `r1 import`: gather rows, verify ground truths, show the result, confirm, write. */
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Command, Option } from 'commander';
import type { Stores } from '../../activities/dependencies.ts';
import { type EvaluationIndex, indexEvaluations } from '../../algorithm/data/decontamination.ts';
import { heldOutOrAll } from '../../algorithm/data/prompt-row.ts';
import type { ImportedPrompt } from '../../algorithm/data/prompt-rows.ts';
import { Failure } from '../../contracts/failures.ts';
import { domainRule, gradeText } from '../../rewards/domains.ts';
import { createRewardTools, type RewardTools } from '../../rewards/tools.ts';
import type { Graded } from '../../rewards/verifier.ts';
import { importedSet, nameImportedSet, readPromptSet } from '../../stores/data/imported-sets.ts';
import { importPromptSet } from '../../stores/data/prompts.ts';
import { CommandError, InputError } from '../errors.ts';
import { checkName } from '../launch/launch.ts';
import { gather, share } from '../options.ts';
import { examples, printDocument, printLine } from '../output/output.ts';
import { type Connections, withConnections, withOptionalStack } from '../stack/connections.ts';
import { type Gathered, gatherRows, knownLayouts, type Refusal } from './import/gather.ts';
import { type LayoutName, layoutNames } from './import/layouts.ts';
import { type DataFile, findDataFiles, readRows } from './import/read-rows.ts';
import { importDocument, reportText, type WrittenImport } from './import-report.ts';

interface Options {
  name: string;
  layout?: LayoutName;
  split?: 'train' | 'test';
  holdOut?: number;
  domain?: string;
  decontaminateAgainst?: string[];
  dryRun?: boolean;
  yes?: boolean;
  json?: boolean;
}

export const commands = { import: defineImport };

function defineImport(command: Command): void {
  command
    .description(
      'Import data sets (JSON lines, JSON, Parquet): show what was found and what was refused and why, then store ' +
        'the rows under a name for recipes: prompts: {source: imported, name: NAME}.',
    )
    .argument('<path...>', 'files or folders')
    .requiredOption('--name <name>', 'name for recipes; importing again under a name replaces the set')
    .addOption(
      new Option('--layout <layout>', 'layout of the rows (default: decided by their fields)').choices(
        layoutNames,
      ),
    )
    .addOption(
      new Option(
        '--split <split>',
        'split of rows that name none (default: by the names of files and folders, else train)',
      ).choices(['train', 'test']),
    )
    .option('--hold-out <share>', 'hold out this share of the prompts that no split is named for', share)
    .option('--domain <domain>', 'domain, if the layout names none: math, science, code, …')
    .option(
      '--decontaminate-against <set>',
      'leave out rows that share ten consecutive words with the held-out prompts of this imported set, or with this file, except for words that most rows share; repeatable',
      gather,
    )
    .option('--dry-run', 'show the result and write nothing')
    .option('--yes', 'write without confirmation, even if rows were refused')
    .option('--json', 'print a JSON document (contracts/schemas/import.json); write only with --yes')
    .addHelpText(
      'after',
      `\n${knownLayouts()}\n${examples(
        'r1 import gsm8k/train.jsonl gsm8k/test.jsonl --name gsm8k',
        'r1 import openr1-math/ --name math --decontaminate-against math-500 --hold-out 0.01 --dry-run',
      )}`,
    )
    .action(importData);
}

async function importData(paths: string[], options: Options): Promise<void> {
  checkName(options.name);
  const files = await findDataFiles(paths);
  const { decontaminateAgainst: names = [] } = options;
  const connect = options.dryRun ? withOptionalStack : withConnections;
  await connect(async (connections: Servers) => {
    const evaluations = names.length === 0 ? undefined : await indexEvaluationSets(names, connections);
    const found = await gatherAll(files, options, evaluations);
    if (await show(options, found)) await write(connections, options, found);
  });
}

type Servers = Pick<Connections, 'database' | 'objects'>;

/** All rows but those whose ground truth no verifier can read. */
async function gatherAll(
  files: readonly DataFile[],
  options: Options,
  evaluations?: EvaluationIndex,
): Promise<Gathered> {
  const found = await gatherRows(files, { ...options, evaluations });
  const tools = createRewardTools();
  try {
    const { verifiable, refused } = await refuseUnverifiable(found.prompts, tools);
    return { ...found, prompts: verifiable, refused: [...found.refused, ...refused] };
  } finally {
    await tools.close();
  }
}

/** Prints what was found, and decides whether to write it. */
async function show({ name, json, dryRun, yes }: Options, found: Gathered): Promise<boolean> {
  const document = importDocument(name, found, null);
  const writes = dryRun !== true && (yes === true || json !== true);
  if (json && !writes) printDocument('import', document);
  if (!json) printLine(reportText(document, found));
  if (document.rows === 0)
    throw new InputError(
      `expected at least one usable row, found none (${found.refused.length} refused, ${found.contaminated.length} left ` +
        'out because they share text with an evaluation): nothing was written',
    );
  if (!writes) return false;
  return yes === true || (await agreed(name, found.refused.length));
}

/** Asks for confirmation. Without a terminal, writes only if no row was refused. */
async function agreed(name: string, refused: number): Promise<boolean> {
  if (!process.stdin.isTTY) {
    if (refused === 0) return true;
    throw new CommandError(
      `${refused} rows were refused; nothing was written. Pass --yes to import the others.`,
    );
  }
  const asking = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await asking.question(`\nImport this as ${name}? [y/N] `);
  asking.close();
  if (/^y(?:es)?$/i.test(answer.trim())) return true;
  throw new CommandError('nothing was written');
}

async function write(connections: Servers, { name, json }: Options, found: Gathered): Promise<void> {
  const [database, objects] = await Promise.all([connections.database(), connections.objects()]);
  const written = await writeImport({ database, objects }, name, found);
  if (json) return printDocument('import', importDocument(name, found, written));
  const { train, test, rows, digest } = written;
  const what = found.kind === 'prompts' ? `${train} to train on, ${test} held out` : `${rows} ${found.kind}`;
  printLine(`\nImported as ${name}: ${what} (${digest.slice(0, 12)}).`);
}

const AT_ONCE = 512;

/** Separates prompts whose ground truth their verifier can read from those where every answer would be an error. */
export async function refuseUnverifiable(
  prompts: readonly ImportedPrompt[],
  tools: RewardTools,
): Promise<{ verifiable: ImportedPrompt[]; refused: Refusal[] }> {
  const verifiable: ImportedPrompt[] = [];
  const refused: Refusal[] = [];
  for (let start = 0; start < prompts.length; start += AT_ONCE) {
    const some = prompts.slice(start, start + AT_ONCE);
    const verdicts = await Promise.all(some.map((prompt) => trial(prompt, tools)));
    for (const [i, prompt] of some.entries()) {
      const verdict = verdicts[i];
      if (verdict === undefined || 'score' in verdict || verdict.retry !== undefined) verifiable.push(prompt);
      else refused.push(refusalOf(prompt, verdict.error.message));
    }
  }
  return { verifiable, refused };
}

/** The verdict on an empty response: an error only where the ground truth is invalid. */
function trial({ answer, entry, domain }: ImportedPrompt, tools: RewardTools): Graded | Promise<Graded> {
  const rule = domainRule(domain);
  if (rule === null) return gradeText(answer, '');
  return rule({ answer, entry: entry ?? null }, '', { tools, code: 'all-or-nothing', partialCredit: false });
}

function refusalOf({ source, line, entry }: ImportedPrompt, message: string): Refusal {
  return { source, line, field: entry === undefined ? 'answer' : 'entry', message };
}

const TRIES = 5;

/**
 * Stores the rows under a name. Equal rows are stored once whatever their name, so that it can be retried when a server
 * was unavailable.
 */
export async function writeImport(
  stores: Pick<Stores, 'database' | 'objects'>,
  name: string,
  gathered: Gathered,
): Promise<WrittenImport> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await writeOnce(stores, name, gathered);
    } catch (error) {
      if (!(error instanceof Failure) || !error.retryable || attempt === TRIES) throw error;
      await sleep(2 ** attempt * 500);
    }
  }
}

async function writeOnce(
  { database, objects }: Pick<Stores, 'database' | 'objects'>,
  name: string,
  { kind, prompts, rows }: Gathered,
): Promise<WrittenImport> {
  if (kind !== 'prompts') {
    const lines = rows.map((row) => `${JSON.stringify(row)}\n`).join('');
    const key = (sha256: string) => `imports/${kind}/${sha256}.jsonl`;
    const object = await objects.put(key, new TextEncoder().encode(lines));
    await nameImportedSet(database, { name, kind, object, rows: rows.length });
    return { digest: object.sha256, train: rows.length, test: 0, rows: rows.length };
  }
  // in the order in which they are read back
  const ordered = (['train', 'test'] as const).flatMap((split) => prompts.filter((p) => p.split === split));
  const { digest, train, test } = await importPromptSet(database, { name, prompts: ordered });
  await nameImportedSet(database, { name, kind, promptSet: digest, rows: ordered.length });
  return { digest, train, test, rows: ordered.length };
}

/**
 * The texts that must not be trained on: problems of files, and held-out problems of imported sets, or all of them where
 * none is held out. Only imported sets need the database.
 */
export async function indexEvaluationSets(
  names: readonly string[],
  connections: Pick<Connections, 'database'>,
): Promise<EvaluationIndex> {
  const texts = await Promise.all(names.map((name) => problemsOf(name, connections)));
  return indexEvaluations(texts.flat());
}

async function problemsOf(name: string, { database }: Pick<Connections, 'database'>): Promise<string[]> {
  if (existsSync(name)) return problemsOfFiles(name);
  return heldOutOrAll(await readImported(await database(), name)).map(({ problem }) => problem);
}

/** Fields that hold a problem in any layout. */
const PROBLEMS = ['problem', 'question', 'Question', 'prompt', 'problem_statement', 'description'];

/** Includes the problems of refused rows: a row without an answer must not be trained on either. */
async function problemsOfFiles(name: string): Promise<string[]> {
  const files = await findDataFiles([name]);
  const { prompts, rows, refused } = await gatherRows(files, {});
  const read = heldOutOrAll(prompts).map(({ problem }) => problem);
  const others = rows.map((row) => ('problem' in row ? row.problem : row.prompt));
  const refusedRows = new Set(refused.map(({ source, line }) => `${source} ${line}`));
  const unread: string[] = [];
  for (const { path } of refusedRows.size > 0 ? files : []) {
    for await (const { source, line, value } of readRows(path)) {
      if (!refusedRows.has(`${source} ${line}`)) continue;
      const problem = PROBLEMS.map((field) => value[field]).find((text) => typeof text === 'string');
      if (typeof problem === 'string') unread.push(problem);
    }
  }
  const problems = [...read, ...others, ...unread].filter((text) => text.trim() !== '');
  if (problems.length > 0) return problems;
  throw new InputError(`--decontaminate-against ${name}: expected problems, found none`);
}

async function readImported(reader: Awaited<ReturnType<Connections['database']>>, name: string) {
  const { promptSet } = await importedSet(reader, name, 'prompts');
  return readPromptSet(reader, promptSet);
}

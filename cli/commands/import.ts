import { createInterface } from 'node:readline/promises';
import { type Command, Option } from 'commander';
import type { EvaluationIndex } from '../../algorithm/data/decontamination.ts';
import { createRewardTools } from '../../rewards/tools.ts';
import { indexEvaluationSets, isPath } from '../data/evaluation-sets.ts';
import { type Gathered, gatherRows, knownLayouts } from '../data/import/gather.ts';
import { type LayoutName, layoutNames } from '../data/import/layouts.ts';
import { type DataFile, findDataFiles } from '../data/import/read-rows.ts';
import { refuseUnjudged } from '../data/import/refuse-unjudged.ts';
import { writeImport } from '../data/import/write-import.ts';
import { importDocument, reportText } from '../data/import-report.ts';
import { CommandError, InputError } from '../errors.ts';
import { checkName } from '../launch/launch.ts';
import { gather, share } from '../options.ts';
import { examples, printDocument, printLine } from '../output/output.ts';
import { type Connections, withConnections } from '../stack/connections.ts';

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

export function define(command: Command): void {
  command
    .description(
      'Reads data sets (JSON lines, JSON, Parquet), shows what it found, what it refused and why, and then keeps ' +
        'them under a name that recipes can use: prompts: {source: imported, name: NAME}.',
    )
    .argument('<path...>', 'files, or folders of them')
    .requiredOption(
      '--name <name>',
      'what recipes call it; importing again under a name replaces what it means',
    )
    .addOption(
      new Option('--layout <layout>', 'how rows are laid out, instead of telling it by their fields').choices(
        layoutNames,
      ),
    )
    .addOption(
      new Option(
        '--split <split>',
        'of all rows that do not name theirs; by default the names of files and folders say it, else train',
      ).choices(['train', 'test']),
    )
    .option('--hold-out <share>', 'hold out this share of prompts that nothing puts in a split', share)
    .option(
      '--domain <domain>',
      'how answers are judged, where the layout does not say: math, science, code, …',
    )
    .option(
      '--decontaminate-against <set>',
      'leave out rows that share ten words in a row with this imported set’s held-out prompts, or this file, but for what most of them share; may be given several times',
      gather,
    )
    .option('--dry-run', 'show it and write nothing')
    .option('--yes', 'write without asking, also where rows were refused')
    .option('--json', 'print one document (contracts/schemas/import.json); writes only with --yes')
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
  const isLocal = (await Promise.all(names.map(isPath))).every((each) => each);
  if (options.dryRun && isLocal) {
    const database = () => Promise.reject(new TypeError('expected files alone, found an imported set'));
    await show(options, await gathered(files, options, await evaluationsOf(names, { database })));
    return;
  }
  await withConnections(async (connections) => {
    const found = await gathered(files, options, await evaluationsOf(names, connections));
    if (await show(options, found)) await write(connections, options, found);
  });
}

const evaluationsOf = async (names: readonly string[], connections: Pick<Connections, 'database'>) =>
  names.length === 0 ? undefined : indexEvaluationSets(names, connections);

/** All rows, less those whose ground truth no verifier can read. */
async function gathered(
  files: readonly DataFile[],
  options: Options,
  evaluations?: EvaluationIndex,
): Promise<Gathered> {
  const found = await gatherRows(files, { ...options, evaluations });
  const tools = createRewardTools();
  try {
    const { judged, refused } = await refuseUnjudged(found.prompts, tools);
    return { ...found, prompts: judged, refused: [...found.refused, ...refused] };
  } finally {
    await tools.close();
  }
}

/** Shows what was found; whether it is to be written. */
async function show({ name, json, dryRun, yes }: Options, found: Gathered): Promise<boolean> {
  const document = importDocument(name, found, null);
  const writes = dryRun !== true && (yes === true || json !== true);
  if (json && !writes) printDocument('import', document);
  if (!json) printLine(reportText(document, found));
  if (document.rows === 0)
    throw new InputError(
      `expected at least one usable row, found none (${found.refused.length} refused, ${found.contaminated.length} left ` +
        'out for what they share with an evaluation): nothing was written',
    );
  if (!writes) return false;
  return yes === true || (await agreed(name, found.refused.length));
}

/** Asks a person; without one, only what is whole is written. */
async function agreed(name: string, refused: number): Promise<boolean> {
  if (!process.stdin.isTTY) {
    if (refused === 0) return true;
    throw new CommandError(
      `${refused} rows were refused; nothing was written. Pass --yes to import the others.`,
    );
  }
  const asking = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await asking.question(`\nKeep this as ${name}? [y/N] `);
  asking.close();
  if (/^y(?:es)?$/i.test(answer.trim())) return true;
  throw new CommandError('nothing was written');
}

async function write(connections: Connections, { name, json }: Options, found: Gathered): Promise<void> {
  const [database, objects] = await Promise.all([connections.database(), connections.objects()]);
  const written = await writeImport({ database, objects }, name, found);
  if (json) return printDocument('import', importDocument(name, found, written));
  const { train, test, rows, digest } = written;
  const what = found.kind === 'prompts' ? `${train} to train on, ${test} held out` : `${rows} ${found.kind}`;
  printLine(`\nKept as ${name}: ${what} (${digest.slice(0, 12)}).`);
}

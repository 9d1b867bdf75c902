import type { Command } from 'commander';
import { findStack } from '../../infra/stack.ts';
import { InputError } from '../errors.ts';
import { interruptible } from '../interrupts.ts';
import { type DryRunOptions, dryRun } from '../launch/dry-run.ts';
import { dryRunText } from '../launch/dry-run-view.ts';
import { checkLaunch, checkName, launch } from '../launch/launch.ts';
import { measuredIn } from '../launch/measured-rates.ts';
import { parseOverride } from '../launch/overrides.ts';
import { planText } from '../launch/plan-view.ts';
import { notesOn } from '../launch/prompt-notes.ts';
import { type RecipeFile, readRecipe } from '../launch/recipe-file.ts';
import { notesOnRecipe, waitText } from '../launch/recipe-notes.ts';
import { byStage, gather, rate } from '../options.ts';
import { examples, printDocument, printLine } from '../output/output.ts';
import { readFinalReport } from '../run/final-report.ts';
import { watchRun } from '../run/watch-run.ts';
import { type Connections, runningStack, withConnections } from '../stack/connections.ts';

interface Options {
  set?: string[];
  name?: string;
  detach?: boolean;
  json?: boolean;
  dryRun?: boolean;
  tokensPerSecond?: number;
  samplingTokensPerSecond?: number;
  ratesOf?: string;
  meanLength?: Map<string, number>;
}

export function define(command: Command): void {
  command
    .description(
      'Checks a recipe and all that it names, imports its base and prompts, and launches a run of it.\n\n' +
        '--set changes the recipe: a dotted path counts from its root (evaluation.k=4, ' +
        'stages.zero.options.beta=0, or shorter zero.beta=0); a bare key is the recipe’s own (seed=2), else the ' +
        'option of that name in every stage that knows it (max_steps=8), else the key of evaluation or prompts (k=4).',
    )
    .argument('<recipe>', 'a YAML file, such as recipes/nano-zero.yaml')
    .option('--set <key=value>', 'change one option; may be given several times', gather)
    .option('--name <name>', 'the run’s name; by default the recipe’s with the next number')
    .option('--detach', 'return when the run is launched, without watching it')
    .option(
      '--dry-run',
      'check everything as a launch does and count what the run would do and leave: steps, completions, tokens, objects, ' +
        'rows, events, time; nothing is written',
    )
    .option(
      '--mean-length <tokens>',
      'dry run: of a response, or STAGE=TOKENS; may be given several times',
      byStage,
    )
    .option('--tokens-per-second <number>', 'dry run: that one device trains', rate)
    .option(
      '--sampling-tokens-per-second <number>',
      'dry run: that one device samples; by default as many as it trains',
      rate,
    )
    .option(
      '--rates-of <run>',
      'dry run: tokens a second and mean lengths as measured in the steps of that run',
    )
    .option('--json', 'print one document (contracts/schemas/launch.json, dry-run.json) and do not watch')
    .addHelpText(
      'after',
      examples(
        'r1 launch recipes/nano-zero.yaml',
        'r1 launch recipes/nano-zero.yaml --set seed=2 --set max_steps=8 --name quick --detach',
        'r1 launch recipes/r1.yaml --dry-run --mean-length 8000 --tokens-per-second 1000',
      ),
    )
    .action(launchRecipe);
}

async function launchRecipe(path: string, options: Options): Promise<void> {
  const { set = [], name, detach, json } = options;
  if (name !== undefined) checkName(name);
  const file = await readRecipe(path, set.map(parseOverride));
  for (const wait of waitText(file.recipe)) process.stderr.write(`${wait}\n`);
  if (options.dryRun) return await showDryRun(file, options);
  refuseDryRunOptions(options);
  await withConnections(async (connections) => {
    const checked = await checkLaunch(file, connections);
    const launched = await launch(checked, connections, name);
    if (json) return printDocument('launch', launched);
    for (const note of [...notesOnRecipe(checked.recipe), ...notesOn(checked.prompts)]) printLine(note);
    const { run, ui } = launched;
    printLine(`Launched ${run}${ui === null ? '' : `: ${ui}`}`);
    printLine(`\n${planText(checked.recipe)}\n`);
    if (detach) return printLine(`Watch it with \`r1 watch ${run}\`.`);
    await interruptible(
      (signal) => watchRun(connections, run, signal),
      () => `Stopped watching. ${run} goes on; watch it with \`r1 watch ${run}\`.`,
    );
    printLine(`\n${await readFinalReport(await connections.database(), run)}`);
  });
}

/** Needs a running stack only where something is asked of it. */
async function showDryRun(file: RecipeFile, options: Options): Promise<void> {
  const count = async (connections: DryRunConnections) => {
    const document = await dryRun(file, connections, await assumptionsOf(options, connections));
    if (options.json) printDocument('dry-run', document);
    else printLine(dryRunText(document));
  };
  const stack = findStack();
  const noStack = async () => runningStack() as never;
  await (stack === undefined
    ? count({ database: noStack, objects: noStack })
    : withConnections(count, stack));
}

type DryRunConnections = Pick<Connections, 'database' | 'objects'>;

/** Rates and lengths as given, or else as a run's steps measured them. */
async function assumptionsOf(options: Options, { database }: DryRunConnections): Promise<DryRunOptions> {
  const { ratesOf, tokensPerSecond, samplingTokensPerSecond, meanLength = new Map() } = options;
  const measured = ratesOf === undefined ? null : await measuredIn(await database(), ratesOf);
  const training = tokensPerSecond ?? measured?.rates.training ?? samplingTokensPerSecond;
  const sampling = samplingTokensPerSecond ?? measured?.rates.sampling ?? training;
  return {
    rates: training === undefined || sampling === undefined ? null : { training, sampling },
    meanLengths: meanLength,
    measuredLengths: measured?.meanLengths ?? new Map(),
  };
}

const DRY_RUN_ONLY = {
  tokensPerSecond: '--tokens-per-second',
  samplingTokensPerSecond: '--sampling-tokens-per-second',
  ratesOf: '--rates-of',
  meanLength: '--mean-length',
} as const satisfies Partial<Record<keyof Options, string>>;

function refuseDryRunOptions(options: Options): void {
  for (const [key, flag] of Object.entries(DRY_RUN_ONLY)) {
    if (options[key as keyof typeof DRY_RUN_ONLY] !== undefined)
      throw new InputError(`${flag}: counts for a dry run alone; say --dry-run too, or leave it out`);
  }
}

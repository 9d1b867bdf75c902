/** `r1 launch` and `r1 start`. */
import { join, relative } from 'node:path';
import type { Command } from 'commander';
import type { Recipe } from '../../contracts/recipe.ts';
import { runWorkflowId } from '../../contracts/workflows.ts';
import { PROJECT_ROOT } from '../../infra/paths.ts';
import { stopStack } from '../../infra/stack.ts';
import { listRuns } from '../../stores/runs/runs.ts';
import { InputError } from '../errors.ts';
import { interruptible } from '../interrupts.ts';
import { byStage, gather, rate } from '../options.ts';
import { examples, printDocument, printLine, printResult } from '../output/output.ts';
import { parseOverride } from '../recipe/overrides.ts';
import { type RecipeFile, readRecipe } from '../recipe/recipe-file.ts';
import { readFinalReport } from '../run/final-report.ts';
import { findRun } from '../run/run-rows.ts';
import { watchOrLeave, watchRun } from '../run/watch.ts';
import { startRunWorkflow, summaryOf, workflowUrl } from '../run/workflow-client.ts';
import { type Connections, withConnections, withOptionalStack } from '../stack/connections.ts';
import { addressText, bringUp, logProgress, statusOf } from '../stack/stack.ts';
import { type DryRunOptions, dryRun, dryRunText, measuredIn } from './dry-run.ts';
import { checkLaunch, checkName, type Launched, launch } from './launch.ts';
import { generationNotes, notesOnPrompts, notesOnRecipe, planText } from './plan-text.ts';

export const commands = { launch: defineLaunch, start: defineStart };

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

function defineLaunch(command: Command): void {
  command
    .description(
      'Check a recipe and everything that it names, import its models and data, and launch a run of it.\n\n' +
        '--set changes the recipe. A dotted path is relative to its root: evaluation.k=4, ' +
        'stages.zero.options.beta=0 or, shorter, zero.beta=0. A bare key is the recipe’s own key (seed=2), else the ' +
        'option of that name in every stage that has it (max_steps=8), else the key of evaluation or prompts (k=4).',
    )
    .argument('<recipe>', 'YAML file, such as recipes/nano-zero.yaml')
    .option('--set <key=value>', 'change a key of the recipe; repeatable', gather)
    .option('--name <name>', 'name of the run (default: the recipe’s name with the next number)')
    .option('--detach', 'return once the run is launched, without watching it')
    .option(
      '--dry-run',
      'check everything and estimate what the run would do and store: steps, completions, tokens, objects, rows, ' +
        'events, time; write nothing',
    )
    .option('--mean-length <tokens>', 'dry run: mean response length, or STAGE=TOKENS; repeatable', byStage)
    .option('--tokens-per-second <n>', 'dry run: tokens that one device trains per second', rate)
    .option(
      '--sampling-tokens-per-second <n>',
      'dry run: tokens that one device samples per second (default: as many as it trains)',
      rate,
    )
    .option('--rates-of <run>', 'dry run: use the rates and mean lengths measured in this run')
    .option('--json', 'print a JSON document (contracts/schemas/launch.json, dry-run.json) and do not watch')
    .addHelpText(
      'after',
      examples(
        'r1 launch recipes/nano-zero.yaml',
        'r1 launch recipes/nano-zero.yaml --set seed=2 --set max_steps=8 --name quick --detach',
        'r1 launch recipes/r1.yaml --dry-run --mean-length 8000 --tokens-per-second 1000',
      ),
    )
    .action(launchCommand);
}

async function launchCommand(path: string, options: Options): Promise<void> {
  const { set = [], name, detach, json } = options;
  if (name !== undefined) checkName(name);
  const file = await readRecipe(path, set.map(parseOverride));
  generationNotes(file.recipe).forEach(logProgress);
  if (options.dryRun)
    return withOptionalStack(async (connections) => {
      const document = await dryRun(file, connections, await estimateOptions(options, connections));
      printResult(json, 'dry-run', document, dryRunText);
    });
  refuseDryRunOptions(options);
  await withConnections(async (connections) => {
    const checked = await checkLaunch(file, connections);
    const launched = await launch(checked, connections, name);
    if (json) return printDocument('launch', launched);
    for (const note of [...notesOnRecipe(checked.recipe), ...notesOnPrompts(checked.prompts)])
      printLine(note);
    const { run, ui } = launched;
    printLine(`Launched ${run}${ui === null ? '' : `: ${ui}`}`);
    printLine(`\n${planText(checked.recipe)}\n`);
    if (detach) printLine(`Watch it with \`r1 watch ${run}\`.`);
    else await watchOrLeave(connections, run);
  });
}

/** Rates and mean lengths from the options, else as measured in the run that `--rates-of` names. */
async function estimateOptions(
  { ratesOf, tokensPerSecond, samplingTokensPerSecond, meanLength = new Map() }: Options,
  { database }: Pick<Connections, 'database'>,
): Promise<DryRunOptions> {
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
      throw new InputError(`${flag}: applies to a dry run only; add --dry-run, or leave it out`);
  }
}

const START_RECIPE = join(PROJECT_ROOT, 'recipes', 'nano-r1.yaml');

function defineStart(command: Command): void {
  command
    .description(
      'Start the local stack and train R1 in miniature by the whole recipe (recipes/nano-r1.yaml), then compare the ' +
        'trained policies with the base. An unfinished run is continued. Ctrl-C stops the run and the stack; when the run is complete the stack stays up.',
    )
    .addHelpText('after', examples('r1 start', 'npm start'))
    .action(async () => {
      const file = await readRecipe(relative(process.cwd(), START_RECIPE));
      await interruptible((signal) => startAndTrain(file, signal), stopEverything);
    });
}

async function startAndTrain(file: RecipeFile, signal: AbortSignal): Promise<void> {
  const stack = await bringUp(logProgress);
  printLine(addressText(statusOf(stack, null)));
  await withConnections(async (connections) => {
    const { run, ui, recipe } = await continueOrLaunch(file, connections);
    if (ui !== null) printLine(`Run         ${ui}`);
    printLine(`\n${planText(recipe)}\n`);
    await watchRun(connections, run, signal);
    printLine(`\n${await readFinalReport(await connections.database(), run)}`);
  }, stack);
}

/** Continues the recipe's latest unfinished run, else shows its latest complete one, else launches the first. */
async function continueOrLaunch(
  file: RecipeFile,
  connections: Connections,
): Promise<Launched & { recipe: Recipe }> {
  const database = await connections.database();
  const runs = (await listRuns(database)).filter(
    (run) => run.recipe === file.recipe.name && run.status !== 'aborted',
  );
  const latest = runs.find(({ status }) => status !== 'complete') ?? runs[0];
  if (latest === undefined) {
    const launched = await launch(await checkLaunch(file, connections), connections);
    printLine(`Launched ${launched.run}.`);
    return { ...launched, recipe: file.recipe };
  }
  const { run, recipe } = await findRun(database, latest.run);
  const isUnfinished = latest.status !== 'complete';
  printLine(isUnfinished ? `Continuing ${run}.` : `${run} is already complete.`);
  if (isUnfinished) await startRunWorkflow(await connections.temporal(), { run, summary: summaryOf(recipe) });
  const workflowId = runWorkflowId(run);
  return { run, workflowId, ui: workflowUrl(connections.stack, workflowId), recipe };
}

async function stopEverything(): Promise<string> {
  logProgress('Stopping; press Ctrl-C again to quit at once.');
  await stopStack({ onProgress: logProgress });
  return 'Stopped. Everything committed is kept: continue with `npm start`.';
}

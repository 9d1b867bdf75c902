import { join, relative } from 'node:path';
import type { Command } from 'commander';
import type { Recipe } from '../../contracts/recipe.ts';
import { runWorkflowId } from '../../contracts/workflows.ts';
import { PROJECT_ROOT } from '../../infra/paths.ts';
import { stopStack } from '../../infra/stack.ts';
import { listRuns } from '../../stores/runs/runs.ts';
import { interruptible } from '../interrupts.ts';
import { checkLaunch, type Launched, launch, summaryOf } from '../launch/launch.ts';
import { planText } from '../launch/plan-view.ts';
import { type RecipeFile, readRecipe } from '../launch/recipe-file.ts';
import { examples, printLine } from '../output/output.ts';
import { readFinalReport } from '../run/final-report.ts';
import { findRun } from '../run/run-rows.ts';
import { watchRun } from '../run/watch-run.ts';
import { startRunWorkflow, workflowUrl } from '../run/workflow-client.ts';
import { bringUp, type Tell } from '../stack/bring-up.ts';
import { type Connections, withConnections } from '../stack/connections.ts';
import { addressText, statusOf } from '../stack/stack-view.ts';

const RECIPE = join(PROJECT_ROOT, 'recipes', 'nano-r1.yaml');

export function define(command: Command): void {
  command
    .description(
      'Brings the local stack up, trains R1 in miniature by the whole recipe (recipes/nano-r1.yaml), and shows what ' +
        'became of the base. An unfinished run goes on. Ctrl-C stops everything cleanly; the stack stays up when the run is complete.',
    )
    .addHelpText('after', examples('r1 start', 'npm start'))
    .action(start);
}

const tell: Tell = (line) => void process.stderr.write(`${line}\n`);

async function start(): Promise<void> {
  const file = await readRecipe(relative(process.cwd(), RECIPE));
  await interruptible((signal) => bringUpAndTrain(file, signal), stopEverything);
}

async function bringUpAndTrain(file: RecipeFile, signal: AbortSignal): Promise<void> {
  const stack = await bringUp(tell);
  printLine(addressText(statusOf(stack, null)));
  await withConnections(async (connections) => {
    const { run, ui, recipe } = await goOnOrLaunch(file, connections);
    if (ui !== null) printLine(`Run         ${ui}`);
    printLine(`\n${planText(recipe)}\n`);
    await watchRun(connections, run, signal);
    printLine(`\n${await readFinalReport(await connections.database(), run)}`);
  }, stack);
}

/** The recipe's latest unfinished run, taken up; else its latest complete one; a first one where there is none. */
async function goOnOrLaunch(
  file: RecipeFile,
  connections: Connections,
): Promise<Launched & { recipe: Recipe }> {
  const { recipe } = file;
  const database = await connections.database();
  const runs = (await listRuns(database)).filter(
    (run) => run.recipe === recipe.name && run.status !== 'aborted',
  );
  const latest = runs.find(({ status }) => status !== 'complete') ?? runs[0];
  if (latest === undefined) {
    const launched = await launch(await checkLaunch(file, connections), connections);
    printLine(`Launched ${launched.run}.`);
    return { ...launched, recipe };
  }
  const { run, recipe: launchedWith } = await findRun(database, latest.run);
  const workflowId = runWorkflowId(run);
  const goesOn = latest.status !== 'complete';
  printLine(goesOn ? `Going on with ${run}.` : `${run} is complete already.`);
  if (goesOn) await startRunWorkflow(await connections.temporal(), { run, summary: summaryOf(launchedWith) });
  return { run, workflowId, ui: workflowUrl(connections.stack, workflowId), recipe: launchedWith };
}

async function stopEverything(): Promise<string> {
  tell('Stopping; press Ctrl-C again to quit at once.');
  await stopStack({ onProgress: tell });
  return 'Stopped. Everything committed is kept: go on with `npm start`.';
}

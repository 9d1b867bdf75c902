import type { Command } from 'commander';
import type { ImportedPrompts } from '../../algorithm/prompt-rows.ts';
import { withConnections } from '../connections.ts';
import { readFinalReport } from '../final-report.ts';
import { interruptible } from '../interrupts.ts';
import { checkLaunch, checkName, launch } from '../launch-run.ts';
import { gather } from '../options.ts';
import { examples, printDocument, printLine } from '../output.ts';
import { parseOverride } from '../overrides.ts';
import { planText } from '../plan-view.ts';
import { readRecipe } from '../recipe-file.ts';
import { watchRun } from '../watch-run.ts';

interface Options {
  set?: string[];
  name?: string;
  detach?: boolean;
  json?: boolean;
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
    .option('--json', 'print one document (contracts/schemas/launch.json) and do not watch')
    .addHelpText(
      'after',
      examples(
        'r1 launch recipes/nano-zero.yaml',
        'r1 launch recipes/nano-zero.yaml --set seed=2 --set max_steps=8 --name quick --detach',
      ),
    )
    .action(launchRecipe);
}

async function launchRecipe(path: string, { set = [], name, detach, json }: Options): Promise<void> {
  if (name !== undefined) checkName(name);
  const file = await readRecipe(path, set.map(parseOverride));
  await withConnections(async (connections) => {
    const checked = await checkLaunch(file, connections);
    const launched = await launch(checked, connections, name);
    if (json) return printDocument('launch', launched);
    for (const note of notesOn(checked.prompts)) printLine(note);
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

/** What was left out of the prompts without being wrong. */
function notesOn({ duplicates, ignoredFields }: ImportedPrompts): string[] {
  return [
    ...(duplicates > 0 ? [`Prompts: ${duplicates} rows repeat an earlier one and were left out.`] : []),
    ...(ignoredFields.length > 0 ? [`Prompts: nothing reads the fields ${ignoredFields.join(', ')}.`] : []),
  ];
}

import type { Command } from 'commander';
import { messages } from '../../contracts/workflows.ts';
import { rewind } from '../../stores/rewind.ts';
import { type Connections, withConnections } from '../connections.ts';
import { summaryOf } from '../launch-run.ts';
import { isServed, standingStage, tellStage } from '../operator.ts';
import { naturalNumber } from '../options.ts';
import { examples, printLine } from '../output.ts';
import { findRun, readShow } from '../run-rows.ts';
import { startRunWorkflow } from '../workflow-client.ts';

interface Options {
  from?: number;
}

export function define(command: Command): void {
  command
    .description(
      'Goes on with a paused or parked run, or with one whose workflow is gone: from where its rows end, or after an ' +
        'earlier step on a new branch (the old one stays readable).',
    )
    .argument('[run]', 'a run’s name; by default the latest run')
    .option('--from <step>', 'a committed step of the stage to go on after', naturalNumber)
    .addHelpText('after', examples('r1 resume', 'r1 resume nano-zero-1 --from 20'))
    .action((name: string | undefined, options: Options) =>
      withConnections((connections) => resume(connections, name, options)),
    );
}

async function resume(connections: Connections, name: string | undefined, { from }: Options): Promise<void> {
  const database = await connections.database();
  const client = await connections.temporal();
  const key = standingStage(await readShow(database, name));
  if (await isServed(client, key)) {
    await tellStage(client, key, messages.resume, { from });
  } else {
    if (from !== undefined) await rewind(database, key, from);
    const { recipe } = await findRun(database, key.run);
    await startRunWorkflow(client, { run: key.run, summary: summaryOf(recipe) });
  }
  printLine(
    `${key.run} goes on${from === undefined ? '' : ` after step ${from}`}. Watch it with \`r1 watch ${key.run}\`.`,
  );
}

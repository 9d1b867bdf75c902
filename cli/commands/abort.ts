import type { Command } from 'commander';
import { messages } from '../../contracts/workflows.ts';
import { withConnections } from '../connections.ts';
import { standingStage, tellStage } from '../operator.ts';
import { examples, printLine } from '../output.ts';
import { readShow } from '../run-rows.ts';

export function define(command: Command): void {
  command
    .description('Ends a run at the next step, or at once where it rests. Its rows and checkpoints stay.')
    .argument('[run]', 'a run’s name; by default the latest run')
    .addHelpText('after', examples('r1 abort nano-zero-1'))
    .action((name: string | undefined) =>
      withConnections(async ({ database, temporal }) => {
        const key = standingStage(await readShow(await database(), name));
        await tellStage(await temporal(), key, messages.abort);
        printLine(`${key.run} ends. What it has committed stays: \`r1 show ${key.run}\`.`);
      }),
    );
}

import type { Command } from 'commander';
import { messages } from '../../contracts/workflows.ts';
import { withConnections } from '../connections.ts';
import { standingStage, tellStage } from '../operator.ts';
import { examples, printLine } from '../output.ts';
import { readShow } from '../run-rows.ts';

export function define(command: Command): void {
  command
    .description('Pauses a run at the next step: a checkpoint is committed and the trainer is given back.')
    .argument('[run]', 'a run’s name; by default the latest run')
    .addHelpText('after', examples('r1 pause', 'r1 pause nano-zero-1'))
    .action((name: string | undefined) =>
      withConnections(async ({ database, temporal }) => {
        const key = standingStage(await readShow(await database(), name));
        await tellStage(await temporal(), key, messages.pause);
        printLine(`${key.run} pauses after the step under way. Go on with \`r1 resume ${key.run}\`.`);
      }),
    );
}

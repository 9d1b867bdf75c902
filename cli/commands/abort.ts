import type { Command } from 'commander';
import { examples, printDocument, printLine } from '../output/output.ts';
import { endRun, endText } from '../run/end-run.ts';
import { withConnections } from '../stack/connections.ts';

export function define(command: Command): void {
  command
    .description(
      'Ends a paused or parked run, or one whose workflow is gone, at once. A run under way ends as by ' +
        '`r1 cancel`. Its rows and checkpoints stay.',
    )
    .argument('[run]', 'a run’s name; by default the latest run')
    .option('--json', 'print one document (contracts/schemas/abort.json)')
    .addHelpText('after', examples('r1 abort nano-zero-1'))
    .action((name: string | undefined, { json }: { json?: boolean }) =>
      withConnections(async (connections) => {
        const ended = await endRun(connections, name, 'abort');
        if (json) printDocument('abort', ended);
        else printLine(endText(ended));
      }),
    );
}

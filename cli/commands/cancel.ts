import type { Command } from 'commander';
import { examples, printDocument, printLine } from '../output/output.ts';
import { endRun, endText } from '../run/end-run.ts';
import { withConnections } from '../stack/connections.ts';

export function define(command: Command): void {
  command
    .description(
      'Ends a run under way in order: after the step under way a checkpoint is committed and the trainer is ' +
        'given back. A paused or parked run ends at once, as by `r1 abort`. Its rows and checkpoints stay.',
    )
    .argument('[run]', 'a run’s name; by default the latest run')
    .option('--json', 'print one document (contracts/schemas/cancel.json)')
    .addHelpText('after', examples('r1 cancel', 'r1 cancel nano-zero-1'))
    .action((name: string | undefined, { json }: { json?: boolean }) =>
      withConnections(async (connections) => {
        const ended = await endRun(connections, name, 'cancel');
        if (json) printDocument('cancel', ended);
        else printLine(endText(ended));
      }),
    );
}

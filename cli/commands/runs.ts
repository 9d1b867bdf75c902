import type { Command } from 'commander';
import { listRuns } from '../../stores/runs.ts';
import { withConnections } from '../connections.ts';
import { examples, printDocument, printLine } from '../output.ts';
import { runsText } from '../run-view.ts';

export function define(command: Command): void {
  command
    .description('Lists all runs, the latest first.')
    .option('--json', 'print one document (contracts/schemas/runs.json)')
    .addHelpText('after', examples('r1 runs', 'r1 runs --json'))
    .action(({ json }: { json?: boolean }) =>
      withConnections(async ({ database }) => {
        const runs = await listRuns(await database());
        if (json) printDocument('runs', runs);
        else printLine(runsText(runs));
      }),
    );
}

import type { Command } from 'commander';
import { listRuns } from '../../stores/runs/runs.ts';
import { examples, printDocument, printLine } from '../output/output.ts';
import { runsText } from '../run/run-view.ts';
import { withConnections } from '../stack/connections.ts';

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

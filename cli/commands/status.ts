import type { Command } from 'commander';
import { examples, printDocument, printLine } from '../output/output.ts';
import { runningStack } from '../stack/connections.ts';
import { readStatus, statusText } from '../stack/stack-view.ts';

export function define(command: Command): void {
  command
    .description('Shows where the servers are, which processes run, and what waits for a trainer.')
    .option('--json', 'print one document (contracts/schemas/status.json)')
    .addHelpText('after', examples('r1 status', 'r1 status --json'))
    .action(async ({ json }: { json?: boolean }) => {
      const status = await readStatus(runningStack());
      if (json) printDocument('status', status);
      else printLine(statusText(status));
    });
}

import type { Command } from 'commander';
import { runningStack } from '../connections.ts';
import { examples, printDocument, printLine } from '../output.ts';
import { statusOf, statusText } from '../stack-view.ts';

export function define(command: Command): void {
  command
    .description('Shows where the servers are and which processes run.')
    .option('--json', 'print one document (contracts/schemas/status.json)')
    .addHelpText('after', examples('r1 status', 'r1 status --json'))
    .action(({ json }: { json?: boolean }) => {
      const status = statusOf(runningStack());
      if (json) printDocument('status', status);
      else printLine(statusText(status));
    });
}

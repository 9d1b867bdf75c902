import type { Command } from 'commander';
import { examples, printDocument, printLine } from '../output/output.ts';
import { takeUp } from '../run/resume-run.ts';
import { withConnections } from '../stack/connections.ts';

export function define(command: Command): void {
  command
    .description('Tries a parked run again from where its rows end, once the cause is mended.')
    .argument('[run]', 'a run’s name; by default the latest run')
    .option('--json', 'print one document (contracts/schemas/retry.json)')
    .addHelpText('after', examples('r1 retry', 'r1 retry nano-zero-1'))
    .action((name: string | undefined, { json }: { json?: boolean }) =>
      withConnections(async (connections) => {
        const retried = await takeUp(connections, name, { said: 'retry' });
        if (json) return printDocument('retry', retried);
        const { run } = retried;
        printLine(`${run} tries again. Watch it with \`r1 watch ${run}\`.`);
      }),
    );
}

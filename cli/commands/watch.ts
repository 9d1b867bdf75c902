import type { Command } from 'commander';
import { interruptible } from '../interrupts.ts';
import { examples, printLine } from '../output/output.ts';
import { readFinalReport } from '../run/final-report.ts';
import { findRun } from '../run/run-rows.ts';
import { watchRun } from '../run/watch-run.ts';
import { withConnections } from '../stack/connections.ts';

export function define(command: Command): void {
  command
    .description(
      'Follows a run as it trains, until it is complete or parks. Ctrl-C stops the watching, not the run. ' +
        'pass@1 is the last evaluation’s, with the step at which it was measured.',
    )
    .argument('[run]', 'a run’s name; by default the latest run')
    .addHelpText('after', examples('r1 watch', 'r1 watch nano-zero-1'))
    .action(watch);
}

async function watch(name: string | undefined): Promise<void> {
  await withConnections(async (connections) => {
    const { run } = await findRun(await connections.database(), name);
    await interruptible(
      (signal) => watchRun(connections, run, signal),
      () => `Stopped watching. ${run} goes on; watch it again with \`r1 watch ${run}\`.`,
    );
    printLine(`\n${await readFinalReport(await connections.database(), run)}`);
  });
}

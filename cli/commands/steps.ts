import type { Command } from 'commander';
import { listSteps } from '../../stores/steps/steps.ts';
import { examples, printDocument, printLine } from '../output/output.ts';
import { findRun } from '../run/run-rows.ts';
import { stepsText } from '../run/run-view.ts';
import { withConnections } from '../stack/connections.ts';

interface Options {
  branches?: boolean;
  json?: boolean;
}

export function define(command: Command): void {
  command
    .description('Lists the recorded steps of a run with their figures, in order.')
    .argument('[run]', 'a run’s name; by default the latest run')
    .option('--branches', 'also the steps of branches that were left')
    .option('--json', 'print one document (contracts/schemas/steps.json)')
    .addHelpText('after', examples('r1 steps', 'r1 steps nano-zero-1 --json'))
    .action((name: string | undefined, { json, branches }: Options) =>
      withConnections(async ({ database }) => {
        const reader = await database();
        const { run } = await findRun(reader, name);
        const steps = await listSteps(reader, run, { branches: branches ? 'all' : 'current' });
        if (json) printDocument('steps', steps);
        else printLine(stepsText(steps));
      }),
    );
}

import type { Command } from 'commander';
import { runWorkflowId } from '../../contracts/workflows.ts';
import { examples, printDocument, printLine } from '../output/output.ts';
import { readShow } from '../run/run-rows.ts';
import { showText } from '../run/show-view.ts';
import { workflowUrl } from '../run/workflow-client.ts';
import { withConnections } from '../stack/connections.ts';

export function define(command: Command): void {
  command
    .description('Shows a run: its stages, where each stands and why, its checkpoints and its evaluations.')
    .argument('[run]', 'a run’s name; by default the latest run')
    .option('--json', 'print one document (contracts/schemas/show.json)')
    .addHelpText('after', examples('r1 show', 'r1 show nano-zero-1 --json'))
    .action((name: string | undefined, { json }: { json?: boolean }) =>
      withConnections(async ({ database, stack }) => {
        const show = await readShow(await database(), name);
        if (json) printDocument('show', show);
        else printLine(showText(show, workflowUrl(stack, runWorkflowId(show.run))));
      }),
    );
}

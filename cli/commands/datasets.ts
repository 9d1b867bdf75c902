import type { Command } from 'commander';
import { listDatasets } from '../../stores/data/datasets.ts';
import { datasetsDocumentOf, datasetsText } from '../data/dataset-view.ts';
import { examples, printDocument, printLine } from '../output/output.ts';
import { withConnections } from '../stack/connections.ts';

export function define(command: Command): void {
  command
    .description('Lists all data sets in all their versions, the latest first.')
    .option('--json', 'print one document (contracts/schemas/datasets.json)')
    .addHelpText('after', examples('r1 datasets', 'r1 datasets --json'))
    .action(({ json }: { json?: boolean }) =>
      withConnections(async ({ database }) => {
        const datasets = datasetsDocumentOf(await listDatasets(await database()));
        if (json) printDocument('datasets', datasets);
        else printLine(datasetsText(datasets));
      }),
    );
}

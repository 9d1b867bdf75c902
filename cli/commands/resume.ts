import type { Command } from 'commander';
import { examples, printDocument, printLine } from '../output/output.ts';
import { takeUp } from '../run/resume-run.ts';
import { withConnections } from '../stack/connections.ts';

interface Options {
  from?: string;
  json?: boolean;
}

export function define(command: Command): void {
  command
    .description(
      'Goes on with a paused or parked run, or with one whose workflow is gone (also on another machine with the ' +
        'same database and bucket): from where its rows end, or after an earlier step on a new branch; the old ' +
        'branch stays readable.',
    )
    .argument('[run]', 'a run’s name; by default the latest run')
    .option(
      '--from <place>',
      'go on after this: a committed step, a checkpoint (its s3://…/manifest.json or RUN/STAGE@STEP), or latest',
    )
    .option('--json', 'print one document (contracts/schemas/resume.json)')
    .addHelpText(
      'after',
      examples('r1 resume', 'r1 resume nano-zero-1 --from 20', 'r1 resume nano-zero-1 --from latest'),
    )
    .action((name: string | undefined, { from, json }: Options) =>
      withConnections(async (connections) => {
        const resumed = await takeUp(connections, name, { said: 'resume', from });
        if (json) return printDocument('resume', resumed);
        const { run, rewound } = resumed;
        const where = rewound === null ? '' : ` after step ${rewound.step}, on branch ${rewound.branch}`;
        printLine(`${run} goes on${where}. Watch it with \`r1 watch ${run}\`.`);
      }),
    );
}

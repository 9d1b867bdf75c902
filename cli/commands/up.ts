import type { Command } from 'commander';
import { examples, printDocument, printLine } from '../output/output.ts';
import { bringUp } from '../stack/bring-up.ts';
import { addressText, readStatus } from '../stack/stack-view.ts';

export function define(command: Command): void {
  command
    .description(
      'Starts Temporal, PostgreSQL, S3 and the workers on this machine, or finds them where they run already. ' +
        'Data and logs lie in .r1/ (R1_HOME). R1_TEMPORAL_ADDRESS, R1_DATABASE_URL and R1_S3_ENDPOINT point to servers elsewhere.',
    )
    .option('--json', 'print the same document as `r1 status --json`')
    .addHelpText('after', examples('r1 up', 'R1_DATABASE_URL=postgres://me:secret@db:5432/r1 r1 up'))
    .action(up);
}

async function up({ json }: { json?: boolean }): Promise<void> {
  const stack = await bringUp((line) => process.stderr.write(`${line}\n`));
  const status = await readStatus(stack);
  if (json) return printDocument('status', status);
  printLine(addressText(status));
  printLine('The stack is up. Stop it with `r1 down`.');
}

import type { Command } from 'commander';
import { stopStack } from '../../infra/stack.ts';
import { examples, printLine } from '../output/output.ts';

export function define(command: Command): void {
  command
    .description(
      'Stops the workers and the local servers. Runs stay as they are committed and go on after the next `r1 up`.',
    )
    .option('--purge', 'remove their data as well: runs, checkpoints, histories and logs')
    .addHelpText('after', examples('r1 down', 'r1 down --purge'))
    .action(down);
}

async function down({ purge = false }: { purge?: boolean }): Promise<void> {
  const onProgress = (line: string) => process.stderr.write(`${line}\n`);
  const ran = await stopStack({ purge, onProgress });
  printLine(ran ? 'The stack is stopped.' : 'The stack was not running.');
}

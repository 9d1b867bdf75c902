import type { Command } from 'commander';
import type { OperatorDocument } from '../../contracts/documents.ts';
import { messages } from '../../contracts/workflows.ts';
import { CommandError } from '../errors.ts';
import { examples, printDocument, printLine } from '../output/output.ts';
import { isServed, operatorName, standingStage, updateStage } from '../run/operator.ts';
import { readShow } from '../run/run-rows.ts';
import { type Connections, withConnections } from '../stack/connections.ts';

export function define(command: Command): void {
  command
    .description('Pauses a run at the next step: a checkpoint is committed and the trainer is given back.')
    .argument('[run]', 'a run’s name; by default the latest run')
    .option('--json', 'print one document (contracts/schemas/pause.json)')
    .addHelpText('after', examples('r1 pause', 'r1 pause nano-zero-1'))
    .action((name: string | undefined, { json }: { json?: boolean }) =>
      withConnections(async (connections) => {
        const paused = await pause(connections, name);
        if (json) return printDocument('pause', paused);
        const { run } = paused;
        printLine(`${run} pauses after the step under way. Go on with \`r1 resume ${run}\`.`);
      }),
    );
}

async function pause(connections: Connections, name: string | undefined): Promise<OperatorDocument> {
  const [database, client] = await Promise.all([connections.database(), connections.temporal()]);
  const { status: _status, ...key } = standingStage(await readShow(database, name));
  if (!(await isServed(client, key))) {
    throw new CommandError(
      `${key.run}/${key.stage} does nothing that could be paused: its workflow is gone. ` +
        `\`r1 why ${key.run}\` tells more.`,
    );
  }
  await updateStage(client, key, messages.pause, { author: operatorName() });
  return { ...key, said: 'pause', when: 'next-step', workflow: 'told', rewound: null };
}

import type { Command } from 'commander';
import type { WhyDocument } from '../../contracts/documents.ts';
import { findStack } from '../../infra/stack.ts';
import { examples, printDocument, printLine } from '../output/output.ts';
import { whyOf, withoutStack } from '../run/why.ts';
import { gatherFacts } from '../run/why-facts.ts';
import { withConnections } from '../stack/connections.ts';

export function define(command: Command): void {
  command
    .description(
      'Tells in a paragraph what a run waits for: which stage and phase, since when, which worker or server is ' +
        'missing, and what can be done. Answers also when servers are away.',
    )
    .argument('[run]', 'a run’s name; by default the latest run')
    .option('--json', 'print one document (contracts/schemas/why.json)')
    .addHelpText('after', examples('r1 why', 'r1 why nano-zero-1 --json'))
    .action(async (name: string | undefined, { json }: { json?: boolean }) => {
      const why = await ask(name);
      if (json) printDocument('why', why);
      else printLine(why.text);
    });
}

async function ask(name: string | undefined): Promise<WhyDocument> {
  const stack = findStack();
  if (stack === undefined) return withoutStack(name);
  return withConnections(async (connections) => whyOf(await gatherFacts(connections, name)), stack);
}

import type { Command } from 'commander';
import type { DoctorDocument } from '../../contracts/documents.ts';
import { readSettings } from '../../infra/settings.ts';
import { CommandError } from '../errors.ts';
import { examples, printDocument, printLine } from '../output/output.ts';
import { runChecks } from '../stack/doctor-checks.ts';

export function define(command: Command): void {
  command
    .description(
      'Looks at what this machine has of what is needed, and says of each thing what to do. Changes nothing. Exits ' +
        'with 1 where something required is missing.',
    )
    .option('--json', 'print one document (contracts/schemas/doctor.json)')
    .addHelpText('after', examples('r1 doctor', 'r1 doctor --json'))
    .action(examine);
}

async function examine({ json }: { json?: boolean }): Promise<void> {
  const checks = await runChecks(readSettings());
  const document = { ready: checks.every(({ state }) => state !== 'missing'), checks };
  if (json) printDocument('doctor', document);
  else printLine(doctorText(document));
  if (!document.ready) throw new CommandError('something required is missing: see above');
}

const SIGNS: Record<DoctorDocument['checks'][number]['state'], string> = {
  ok: '✓',
  warning: '!',
  missing: '✗',
};

export function doctorText({ checks }: DoctorDocument): string {
  const width = Math.max(...checks.map(({ name }) => name.length));
  return checks
    .flatMap(({ name, state, found, next }) => [
      `${SIGNS[state]} ${name.padEnd(width)}  ${found}`,
      ...(next === null ? [] : [`  ${' '.repeat(width)}  → ${next}`]),
    ])
    .join('\n');
}

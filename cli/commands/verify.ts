import { once } from 'node:events';
import { createReadStream, statSync } from 'node:fs';
import type { Command } from 'commander';
import { type VerifyOptions, verifyDomains } from '../data/verify-domains.ts';
import { type Summary, type VerifiedRow, verifyRows } from '../data/verify-rows.ts';
import { InputError } from '../errors.ts';
import { examples } from '../output/output.ts';
import { suggestion } from '../suggestion.ts';

const DOMAINS = Object.keys(verifyDomains);

export function define(command: Command): void {
  command
    .description(
      'Scores responses. Reads rows {"entry": {…}, "response": "…"} and writes a row each:\n' +
        '{"score", "extracted", "ms"}, or {"error": {"kind", "message"}, "ms"}. An error is never a zero.',
    )
    .argument('<domain>', DOMAINS.join(', '))
    .argument('<file>', 'JSON lines; - reads standard input')
    .option('--partial', 'reasoning-gym: its partial credits too, not only full marks')
    .addHelpText(
      'after',
      examples(
        'r1 verify math answers.jsonl',
        'r1 verify reasoning-gym --partial answers.jsonl > scores.jsonl',
        'gunzip -c answers.jsonl.gz | r1 verify science -',
      ),
    )
    .action(verify);
}

async function verify(domain: string, file: string, options: VerifyOptions): Promise<void> {
  const open = Object.hasOwn(verifyDomains, domain) ? verifyDomains[domain] : undefined;
  if (open === undefined) {
    throw new InputError(
      `domain: expected one of ${DOMAINS.join(', ')}; found ${domain}${suggestion(domain, DOMAINS)}`,
    );
  }
  const name = file === '-' ? 'standard input' : file;
  const input = file === '-' ? process.stdin : openFile(file);
  const judge = await open(options);
  try {
    report(await verifyRows(input, name, judge, writeRow));
  } finally {
    await judge.close?.();
  }
}

function openFile(file: string) {
  if (statSync(file, { throwIfNoEntry: false })?.isDirectory() === false) return createReadStream(file);
  throw new InputError(`file: expected a file of JSON lines, found none at ${file}`);
}

/** Waits where the reader is slower, so that no more is held than is under way. */
async function writeRow(row: VerifiedRow): Promise<void> {
  if (!process.stdout.write(`${JSON.stringify(row)}\n`)) await once(process.stdout, 'drain');
}

function report({ rows, scored, total, firstBad }: Summary): void {
  const mean = scored === 0 ? '' : `, mean ${(total / scored).toFixed(4)}`;
  process.stderr.write(`${rows} rows: ${scored} scored${mean}, ${rows - scored} errors\n`);
  if (firstBad !== null) throw new InputError(firstBad);
}

/** `r1 verify`: scores rows in order. */
import { once } from 'node:events';
import { createReadStream, statSync } from 'node:fs';
import { StringDecoder } from 'node:string_decoder';
import type { Command } from 'commander';
import { z } from 'zod';
import { parseExactJson } from '../../contracts/exact-json.ts';
import type { Graded } from '../../rewards/verifier.ts';
import { InputError, messageOf } from '../errors.ts';
import { examples } from '../output/output.ts';
import { suggestion } from '../suggestion.ts';
import { type Scorer, type VerifyOptions, verifyDomains } from './verify-domains.ts';

const DOMAINS = Object.keys(verifyDomains);

export const commands = { verify: defineVerify };

function defineVerify(command: Command): void {
  command
    .description(
      'Score responses. Reads rows {"entry": {…}, "response": "…"} and writes a row for each:\n' +
        '{"score", "extracted", "ms"}, or {"error": {"kind", "message"}, "ms"}. An error is never scored 0.',
    )
    .argument('<domain>', DOMAINS.join(', '))
    .argument('<file>', 'JSON lines file; - for standard input')
    .option('--partial', 'reasoning-gym: give partial credit, not only full marks')
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
  const scorer = await open(options);
  try {
    report(await verifyRows(input, name, scorer, writeRow));
  } finally {
    await scorer.close?.();
  }
}

function openFile(file: string) {
  if (statSync(file, { throwIfNoEntry: false })?.isDirectory() === false) return createReadStream(file);
  throw new InputError(`file: expected a file of JSON lines, found none at ${file}`);
}

/** Waits for a slow reader, so that verdicts do not pile up in memory. */
async function writeRow(row: VerifiedRow): Promise<void> {
  if (!process.stdout.write(`${JSON.stringify(row)}\n`)) await once(process.stdout, 'drain');
}

function report({ rows, scored, total, firstBad }: Summary): void {
  const mean = scored === 0 ? '' : `, mean ${(total / scored).toFixed(4)}`;
  process.stderr.write(`${rows} rows: ${scored} scored${mean}, ${rows - scored} errors\n`);
  if (firstBad !== null) throw new InputError(firstBad);
}

/** A verdict: one line of JSON. */
export type VerifiedRow =
  | { score: number; extracted: string | null; ms: number }
  | { error: { kind: string; message: string }; ms: number };

interface Summary {
  rows: number;
  scored: number;
  /** sum of the scores */
  total: number;
  /** why the first malformed line is not a row; null where there is none */
  firstBad: string | null;
}

const rowSchema = z.looseObject({
  entry: z.unknown().refine((entry) => entry !== undefined),
  response: z.string(),
});

/** The non-empty lines of a stream with their numbers, from 1. */
async function* linesOf(input: AsyncIterable<Buffer>): AsyncGenerator<{ text: string; number: number }> {
  const decoder = new StringDecoder('utf8');
  let [rest, number] = ['', 0];
  for await (const chunk of input) {
    const lines = (rest + decoder.write(chunk)).split('\n');
    rest = lines.pop() ?? '';
    for (const text of lines) {
      number++;
      if (text.trim() !== '') yield { text, number };
    }
  }
  if (rest.trim() !== '') yield { text: rest, number: number + 1 };
}

/**
 * Verifies every row of the input and passes each verdict to `write`, in order. A malformed line gets an error of the
 * kind `row`, so that there is one verdict per line.
 */
export async function verifyRows(
  input: AsyncIterable<Buffer>,
  name: string,
  scorer: Scorer,
  write: (row: VerifiedRow) => Promise<void>,
): Promise<Summary> {
  const summary: Summary = { rows: 0, scored: 0, total: 0, firstBad: null };
  const pending: Promise<VerifiedRow>[] = [];
  const finish = async () => {
    const row = await pending.shift();
    if (row === undefined) return;
    count(row, summary);
    await write(row);
  };
  for await (const { text, number } of linesOf(input)) {
    pending.push(verifyLine(text, `${name}: line ${number}`, scorer));
    if (pending.length >= scorer.parallel) await finish();
  }
  while (pending.length > 0) await finish();
  return summary;
}

function count(row: VerifiedRow, summary: Summary): void {
  summary.rows++;
  if ('score' in row) {
    summary.scored++;
    summary.total += row.score;
  } else if (row.error.kind === 'row') summary.firstBad ??= row.error.message;
}

async function verifyLine(text: string, where: string, scorer: Scorer): Promise<VerifiedRow> {
  const start = performance.now();
  const graded = await gradeLine(text, where, scorer);
  const ms = Math.round((performance.now() - start) * 1_000) / 1_000;
  if ('error' in graded) return { error: graded.error, ms };
  return { score: graded.score, extracted: graded.extracted, ms };
}

async function gradeLine(text: string, where: string, { score }: Scorer): Promise<Graded> {
  let row: z.infer<typeof rowSchema>;
  try {
    row = readRow(text, where);
  } catch (error) {
    if (error instanceof InputError) return { error: { kind: 'row', message: error.message } };
    throw error;
  }
  try {
    return await score(row.entry, row.response);
  } catch (error) {
    return { error: { kind: 'internal', message: `${where}: ${messageOf(error)}` } };
  }
}

function readRow(text: string, where: string): z.infer<typeof rowSchema> {
  const found = text.length > 60 ? `${text.slice(0, 60)}…` : text;
  let json: unknown;
  try {
    json = parseExactJson(text);
  } catch {
    throw new InputError(`${where}: expected a row in JSON, found ${found}`);
  }
  const parsed = rowSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new InputError(`${where}: expected {"entry": …, "response": "…"}, found ${found}`);
}

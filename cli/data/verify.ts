/** Reads rows to verify one after the other, and writes their verdicts in the same order. */
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
import { type Judge, type VerifyOptions, verifyDomains } from './verify-domains.ts';

const DOMAINS = Object.keys(verifyDomains);

export const commands = { verify: defineVerify };

function defineVerify(command: Command): void {
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

/** A verdict as it is written: a line of JSON. */
export type VerifiedRow =
  | { score: number; extracted: string | null; ms: number }
  | { error: { kind: string; message: string }; ms: number };

export interface Summary {
  rows: number;
  scored: number;
  /** of those scored */
  total: number;
  /** the first line that is no row, and why; null where all are */
  firstBad: string | null;
}

const rowSchema = z.looseObject({
  entry: z.unknown().refine((entry) => entry !== undefined),
  response: z.string(),
});

/** The lines of a stream with their numbers, from 1; empty ones are passed over. */
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
 * Verifies every row of the input and hands each verdict to `write`, in order. A line that is no row is
 * answered by an error of the kind `row`, so that verdicts and lines stay side by side.
 */
export async function verifyRows(
  input: AsyncIterable<Buffer>,
  name: string,
  judge: Judge,
  write: (row: VerifiedRow) => Promise<void>,
): Promise<Summary> {
  const summary: Summary = { rows: 0, scored: 0, total: 0, firstBad: null };
  const underWay: Promise<VerifiedRow>[] = [];
  const finish = async () => {
    const row = await underWay.shift();
    if (row === undefined) return;
    count(row, summary);
    await write(row);
  };
  for await (const { text, number } of linesOf(input)) {
    underWay.push(verifyLine(text, `${name}: line ${number}`, judge));
    if (underWay.length >= judge.parallel) await finish();
  }
  while (underWay.length > 0) await finish();
  return summary;
}

function count(row: VerifiedRow, summary: Summary): void {
  summary.rows++;
  if ('score' in row) {
    summary.scored++;
    summary.total += row.score;
  } else if (row.error.kind === 'row') summary.firstBad ??= row.error.message;
}

async function verifyLine(text: string, place: string, judge: Judge): Promise<VerifiedRow> {
  const start = performance.now();
  const graded = await gradeLine(text, place, judge);
  const ms = Math.round((performance.now() - start) * 1_000) / 1_000;
  if ('error' in graded) return { error: graded.error, ms };
  return { score: graded.score, extracted: graded.extracted, ms };
}

async function gradeLine(text: string, place: string, { judge }: Judge): Promise<Graded> {
  let row: z.infer<typeof rowSchema>;
  try {
    row = readRow(text, place);
  } catch (error) {
    if (error instanceof InputError) return { error: { kind: 'row', message: error.message } };
    throw error;
  }
  try {
    return await judge(row.entry, row.response);
  } catch (error) {
    return { error: { kind: 'internal', message: `${place}: ${messageOf(error)}` } };
  }
}

function readRow(text: string, place: string): z.infer<typeof rowSchema> {
  const found = text.length > 60 ? `${text.slice(0, 60)}…` : text;
  let json: unknown;
  try {
    json = parseExactJson(text);
  } catch {
    throw new InputError(`${place}: expected a row in JSON, found ${found}`);
  }
  const parsed = rowSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new InputError(`${place}: expected {"entry": …, "response": "…"}, found ${found}`);
}

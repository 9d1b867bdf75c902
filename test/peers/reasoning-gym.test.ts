/**
 * Compares verdicts on reasoning-gym's entries with those of its own scorers. Runs where `R1_PEERS_PYTHON` names a
 * Python with reasoning-gym, and `R1_REASONING_GYM_DATA` a folder of its entries, one file per task; skipped
 * elsewhere.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { drawsFrom } from '../../algorithm/random/draws.ts';
import { scoreReasoningGym } from '../../rewards/reasoning-gym/score.ts';

const python = process.env.R1_PEERS_PYTHON;
const folder = process.env.R1_REASONING_GYM_DATA;
const skip =
  (python === undefined || folder === undefined) &&
  'R1_PEERS_PYTHON and R1_REASONING_GYM_DATA name no Python with reasoning-gym and no entries';

interface Entry {
  question: string;
  answer: string;
  metadata: { source_dataset: string; numbers?: number[] };
}

function entriesOf(file: string): Entry[] {
  const text = readFileSync(join(folder ?? '', file), 'utf8');
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

/** Right and wrong forms of an answer; each is tried without and with tags. */
function writings(entry: Entry, other: Entry): string[] {
  const { answer } = entry;
  const negated = answer.startsWith('-') ? answer.slice(1) : `-${answer}`;
  return [
    answer,
    other.answer,
    '',
    ' ',
    ` ${answer}\n`,
    `\u00a0${answer}\u2003`,
    `\ufeff${answer}`,
    answer.toLowerCase(),
    answer.toUpperCase(),
    `${answer}.`,
    `The answer is ${answer}`,
    `${answer} ${other.answer}`,
    `${answer},${other.answer}`,
    `${other.answer}, ${answer}`,
    `${answer}, ${answer}`,
    `$${answer}$`,
    `\\boxed{${answer}}`,
    `"${answer}"`,
    `(${answer})`,
    `+${answer}`,
    negated,
    `${answer}.0`,
    `${answer}.000`,
    `${answer}.0005`,
    `${answer}0001`,
    `00${answer}`,
    `${answer}e0`,
    `${answer}E+2`,
    `${answer}_0`,
    `${answer} # comment 7`,
    `${answer}\n`,
    answer.replaceAll(' ', ''),
    answer.replaceAll(' ', '  '),
    answer.replaceAll('\n', ' \n'),
    answer.replaceAll('\n', ' '),
    answer.replaceAll(' ', ''),
    answer.replaceAll(' and ', ' '),
    answer.replaceAll(', and ', '; '),
    [...answer].reverse().join(''),
    answer.slice(1),
    answer.slice(0, -1),
    answer.replace(/\d/, '9'),
    answer.replace(/\d(?=\d{3}$)/, '$&,'),
    answer.replace(/[0-9]/g, (digit) => String.fromCodePoint(0x0660 + Number(digit))),
    answer.replace(/[0-9]/g, (digit) => String.fromCodePoint(0x1d7ec + Number(digit))),
    answer.replace(/^\$?(\d+)\/(\d+)\$?$/, '\\frac{$1}{$2}'),
    answer.replace(/^\$?(\d+)\/(\d+)\$?$/, '$\\dfrac{ $1 }{ $2 }$ or so'),
    answer.replace(/^\$?(\d+)\/(\d+)\$?$/, ' $1 / $2 '),
    'nan',
    '-inf',
    '1e99',
    '0',
    '24',
    '(((((',
    '<answer>',
    `<answer>${answer}`,
    `<answer>${other.answer}</answer> <answer>${answer}</answer>`,
    `<answer>${answer}</answer> <answer>${other.answer}</answer>`,
    '🙂'.repeat(30),
    "__import__('os').getpid()",
  ];
}

/** Other ways to compute with the numbers of a countdown or a puzzle. */
function expressions({ answer, metadata }: Entry): string[] {
  const { numbers = [] } = metadata;
  return [
    `+(${answer})`,
    `--(${answer})`,
    `((${answer}))*1`,
    `0 + ${answer}`,
    `(${answer})**1`,
    `(${answer})/2*2`,
    `(${answer} +\n 0*1)`,
    `${answer.slice(0, 2)}\n${answer.slice(2)}`,
    `${answer} = 24`,
    `${answer} == 24`,
    `${answer}; 1`,
    answer.replaceAll('*', '×'),
    answer.replaceAll('*', ' * ').replaceAll('+', '\t+'),
    numbers.join(' + '),
    numbers.join(' * '),
    numbers.join(' - '),
    numbers.join(' / '),
    numbers.join(' // '),
    numbers.join(' % '),
    `${numbers.slice(0, 2).join('**')} + ${numbers.slice(2).join('+')}`,
    `${numbers.slice(1).join('+')} + ${numbers[0]}!`,
    `${numbers.join(' ')}`,
    `1/(${numbers.join('-')})`,
    '6 + 6 + 6 + 6',
    '8 / (3 - 8 / 3)',
    '10 * 10 / 4 - 1',
    '4 ** (1/2) * 6 * 2',
    '3! * 4 * 1 * 1',
    '5 * 5 - 1 / 5',
    '1.5 * 8 * 2',
    '08 * 3 * 1 * 1',
    `${'('.repeat(150)}${answer}${')'.repeat(150)}`,
  ];
}

const withTags = (text: string) => [text, `<think>2 + 2</think>\n<answer>${text}</answer>`];

/** Changes, drops or doubles each letter of an answer with a small probability. */
function garbled(text: string, seed: bigint): string {
  const draws = drawsFrom(seed);
  const change = (letter: string) => draws.among(['', letter + letter, ' ', '1', '-', '.', ',', letter]);
  return [...text].map((letter) => (draws.chance(0.1) ? change(letter) : letter)).join('');
}

function rowsOf(entries: Entry[]): { entry: Entry; response: string }[] {
  return entries.flatMap((entry, index) => {
    const other = entries[(index + 1) % entries.length] ?? entry;
    const random = Array.from({ length: 10 }, (_, n) => garbled(entry.answer, BigInt(index * 10 + n)));
    const texts = [...writings(entry, other), ...random];
    const { source_dataset } = entry.metadata;
    if (source_dataset === 'countdown' || source_dataset === 'puzzle24') texts.push(...expressions(entry));
    return texts.flatMap(withTags).map((response) => ({ entry, response }));
  });
}

/** Python code that is not arithmetic earns 0.05 from reasoning-gym's `eval` and 0.01 here, but never full marks. */
function tolerance({ metadata }: Entry): number {
  return ['countdown', 'puzzle24'].includes(metadata.source_dataset) ? 0.0401 : 1e-9;
}

function peersScores(rows: object[]): number[] {
  const script = fileURLToPath(new URL('./reasoning_gym_answers.py', import.meta.url));
  const input = rows.map((row) => `${JSON.stringify(row)}\n`).join('');
  const child = spawnSync(python ?? '', [script], { input, encoding: 'utf8', maxBuffer: 2 ** 28 });
  assert.equal(child.status, 0, child.stderr);
  return child.stdout.trim().split('\n').map(Number);
}

for (const file of skip ? [] : readdirSync(folder ?? '').filter((name) => name.endsWith('.jsonl'))) {
  test(`${file}: full marks and partial credits equal reasoning-gym's`, (t) => {
    const rows = rowsOf(entriesOf(file).slice(0, 20));
    const theirs = peersScores(rows);
    const differing = rows.filter(({ entry, response }, index) => {
      const own = theirs[index] ?? Number.NaN;
      const full = scoreReasoningGym(entry, response);
      const partial = scoreReasoningGym(entry, response, { partial: true });
      if ('error' in full || 'error' in partial) return true;
      return full.score !== (own === 1 ? 1 : 0) || Math.abs(partial.score - own) > tolerance(entry);
    });
    const accepted = theirs.filter((score) => score === 1).length;
    t.diagnostic(`${rows.length} responses, ${accepted} with full marks, ${differing.length} differ`);
    assert.deepEqual(
      differing.map(({ response }) => response),
      [],
    );
  });
}

test('there are entries of reasoning-gym to compare', { skip }, () => {
  assert.ok(readdirSync(folder ?? '').length > 0);
});

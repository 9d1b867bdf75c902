/** Every regular expression that may see a text of a model, a data set or a client takes time in proportion to it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  costlyText,
  expressionsIn,
  expressionsMadeBy,
  highestCost,
  sourceFiles,
} from './helpers/expressions.ts';

const ROOT = new URL('../', import.meta.url);
const FOLDERS = [
  'rewards',
  'activities',
  'algorithm',
  'engine',
  'workers',
  'stores',
  'contracts',
  'workflows',
];
/** It runs within the sandbox, under the limits of the program that it calls. */
const SANDBOXED = 'rewards/code/harness/';

/** Expressions that are costly on long texts, and see none: of at most so many characters, and why. */
const SHORT_TEXTS: { file: string; pattern: string; characters: number; why: string }[] = [
  {
    file: 'rewards/math/rational.ts',
    pattern: '^(\\d*)\\.?(\\d*)(?:[eE]([+-]?\\d+))?$',
    characters: 4_000,
    why: 'a number within one answer: limits.answerCharacters',
  },
];

/** Files that make expressions within functions, and what of. */
const MADE_LATE: Record<string, string> = {
  'engine/tokenizer/special-token-guard.ts':
    'special tokens of a tokenizer, escaped; nothing in them repeats',
  'rewards/choice/cues.ts': 'words of a list, when it is loaded',
  'rewards/choice/mentions.ts': 'labels and texts of options, escaped; nothing in them repeats',
  'rewards/code/cgroups.ts': 'a prefix of its own; it reads names of folders that the kernel lists',
  'rewards/language/words.ts': 'names of scripts, when it is loaded',
  'rewards/logic/knights-knaves.ts': 'names of an entry, escaped; nothing in them repeats',
  'rewards/math/cues.ts': 'words of a list, when it is loaded',
};

/** Files with expressions that are not linear yet. */
const NOT_YET = [
  'cli/data/import/prompt-layouts.ts',
  'cli/data/import/parquet-rows.ts',
  'contracts/exact-json.ts',
  'rewards/choice/cues.ts',
  'rewards/choice/decision.ts',
  'rewards/choice/readings.ts',
  'rewards/choice/text.ts',
  'rewards/language/prose.ts',
  'rewards/language/technical.ts',
  'rewards/language/words.ts',
  'rewards/math/boxes.ts',
  'rewards/math/lead.ts',
  'rewards/math/passages.ts',
  'rewards/math/rational.ts',
  'rewards/math/sentences.ts',
  'rewards/math/tokens.ts',
  'rewards/math/units.ts',
  'rewards/math/wording.ts',
  'rewards/math/extraction.ts',
  'rewards/math/normalise.ts',
];

const files = FOLDERS.flatMap((folder) => sourceFiles(new URL(folder, ROOT).pathname))
  .map((path) => path.slice(ROOT.pathname.length))
  .filter((path) => !path.startsWith(SANDBOXED));
const found = files.map((file) => ({ file, ...expressionsIn(file) }));

function told({
  file,
  line,
  pattern,
  flags,
}: {
  file: string;
  line?: number;
  pattern: string;
  flags: string;
}) {
  const costly = costlyText({ pattern, flags });
  if (costly === null) return [];
  const { text, seconds } = costly;
  const place = line === undefined ? file : `${file}:${line}`;
  const shown = JSON.stringify(text.length > 40 ? `${text.slice(0, 20)}…${text.slice(-10)}` : text);
  return [`${place} /${pattern}/${flags}: ${seconds.toFixed(1)} s for a long ${shown}`];
}

test('no expression is costly on long runs of what it looks for', () => {
  const short = new Set(SHORT_TEXTS.map(({ file, pattern }) => `${file} ${pattern}`));
  const literals = found
    .filter(({ file }) => !NOT_YET.includes(file))
    .flatMap((each) => each.literals)
    .filter(({ file, pattern }) => !short.has(`${file} ${pattern}`));
  assert.deepEqual(literals.flatMap(told), []);
});

test('an expression that sees short texts alone stands in its file, and costs little on them', () => {
  for (const { file, pattern, characters } of SHORT_TEXTS) {
    const literals = found.find((each) => each.file === file)?.literals ?? [];
    const literal = literals.find((each) => each.pattern === pattern);
    assert.ok(literal, `${file} has no /${pattern}/ any more: take it off the list`);
    assert.ok(highestCost(literal, characters) < 1, `${file} /${pattern}/`);
  }
});

test('expressions that are made when a file is loaded are not costly either', async () => {
  const making = found.filter(
    ({ file, constructions }) => constructions.length > 0 && !NOT_YET.includes(file),
  );
  const made = await expressionsMadeBy(making.map(({ file }) => new URL(file, ROOT)));
  assert.ok(made.length > 10);
  assert.deepEqual(made.flatMap(told), []);
});

test('whoever makes expressions of what a function is given says what of', () => {
  const late = found.flatMap(({ constructions }) => constructions.filter((each) => each.late));
  assert.deepEqual([...new Set(late.map(({ file }) => file))].sort(), Object.keys(MADE_LATE).sort());
});

test('a costly expression is found out', () => {
  const costly = [/\s+$/, /<a>(.*)<\/a>/s, /"(?:[^"\\]|\\.)*"/, /^\s*\$?\s*x/, /^0+|0+$/g];
  for (const { source, flags } of costly)
    assert.notEqual(costlyText({ pattern: source, flags }), null, source);
  const linear = [/^\s+/, /\d+/g, /[^`]*`/y, /^[^:]*:\d+$/, /a{1,20}b/];
  for (const { source, flags } of linear) assert.equal(costlyText({ pattern: source, flags }), null, source);
});

/** Every regular expression for text of a model, a data set or a client takes linear time. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { costlyText, expressionsIn, expressionsMadeBy, sourceFiles } from './helpers/expressions.ts';

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
  'cli/data',
];
/** Runs inside the sandbox, under the limits of the program that it calls. */
const SANDBOXED = 'rewards/code/harness/';

/** Files that create expressions within functions, and the source of their patterns. */
const MADE_LATE: Record<string, string> = {
  'engine/tokenizer/special-token-guard.ts':
    'special tokens of a tokenizer, escaped; nothing in them repeats',
  'rewards/choice/cues.ts': 'words of a list, when it is loaded',
  'rewards/choice/mentions.ts': 'labels and texts of options, escaped; nothing in them repeats',
  'rewards/code/cgroups.ts': 'a prefix of its own; it reads names of folders that the kernel lists',
  'rewards/language/words.ts': 'names of scripts, when it is loaded',
  'rewards/logic/knights-knaves.ts': 'names of an entry, escaped; nothing in them repeats',
  'rewards/math/extract/cues.ts': 'words of a list, when it is loaded',
};

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

test('no expression takes more than linear time on long runs of what it matches', () => {
  assert.deepEqual(found.flatMap(({ literals }) => literals).flatMap(told), []);
});

test('expressions that are created when a file is loaded take linear time too', async () => {
  const making = found.filter(({ constructions }) => constructions.length > 0);
  const made = await expressionsMadeBy(making.map(({ file }) => new URL(file, ROOT)));
  assert.ok(made.length > 10);
  assert.deepEqual(made.flatMap(told), []);
});

test('every file that creates expressions from arguments is listed with their source', () => {
  const late = found.flatMap(({ constructions }) => constructions.filter((each) => each.late));
  assert.deepEqual([...new Set(late.map(({ file }) => file))].sort(), Object.keys(MADE_LATE).sort());
});

test('an expression with more than linear time is detected', () => {
  const costly = [/\s+$/, /<a>(.*)<\/a>/s, /"(?:[^"\\]|\\.)*"/, /^\s*\$?\s*x/, /^0+|0+$/g];
  for (const { source, flags } of costly)
    assert.notEqual(costlyText({ pattern: source, flags }), null, source);
  const linear = [/^\s+/, /\d+/g, /[^`]*`/y, /^[^:]*:\d+$/, /a{1,20}b/];
  for (const { source, flags } of linear) assert.equal(costlyText({ pattern: source, flags }), null, source);
});

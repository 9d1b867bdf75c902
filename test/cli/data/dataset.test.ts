import assert from 'node:assert/strict';
import { test } from 'node:test';
import { datasetDocumentOf, datasetText, diffDocumentOf, diffText } from '../../../cli/data/dataset.ts';
import { samplesText } from '../../../cli/data/samples.ts';
import { plainText } from '../../../cli/output/figures.ts';
import { datasetDocument, type SampleDocument } from '../../../contracts/dataset-documents.ts';
import { selectionRuleSchema } from '../../../contracts/datasets.ts';
import type { Dataset } from '../../../stores/data/datasets.ts';

const digest = 'ab'.repeat(32);
const startedAt = '2024-05-01T12:00:00.000Z';
const selection = selectionRuleSchema.parse({ per_prompt: 4 });

const dataset = (of: Partial<Dataset> = {}): Dataset => ({
  id: 1,
  name: 'calm/rejection-sft',
  version: 1,
  digest,
  rule: { selection, include: [] },
  policy: digest,
  rows: 10,
  rejected: { incorrect: 5, repetition: 2 },
  createdAt: startedAt,
  frozenAt: startedAt,
  ...of,
});

test('a data set’s document has these fields and no others', () => {
  const document = datasetDocument.parse(datasetDocumentOf(dataset()));
  assert.deepEqual(Object.keys(document).sort(), [
    'digest',
    'frozen',
    'name',
    'policy',
    'rejected',
    'rows',
    'rule',
    'version',
  ]);
  assert.deepEqual([document.frozen, document.rejected], [true, { incorrect: 5, repetition: 2 }]);
});

test('a data set tells where its rows come from, what was refused and the rules in force', () => {
  const included = [{ name: 'general', version: 2, rows: 4 }];
  const text = datasetText(datasetDocumentOf(dataset()), { sampledBy: ['calm/reasoning-rl'], included });
  assert.match(text, /^calm\/rejection-sft@1 {2}· {2}10 rows {2}· {2}frozen/);
  assert.match(
    text,
    /^6 kept of 13 samples of calm\/reasoning-rl \(policy abababababab\)\n4 joined from general@2$/m,
  );
  assert.match(text, /incorrect +5\nrepetition +2/);
  assert.match(text, /^per_prompt +4$/m);
  assert.doesNotMatch(text, /max_tokens|null/);
});

test('a difference names the fields of the rule that differ, with both values', () => {
  const rule = { selection: { ...selection, per_prompt: 8 }, include: [digest] };
  const rows = { common: 8, onlyFirst: 2, onlySecond: 3 };
  const diff = diffDocumentOf(dataset(), dataset({ version: 2, rule }), rows);
  assert.deepEqual(diff.rule, [
    { field: 'per_prompt', first: 4, second: 8 },
    { field: 'include', first: [], second: [digest] },
  ]);
  assert.match(diffText(diff), /^include +– +abababababab$/m);
  assert.match(diffText(diff), /only in calm\/rejection-sft@2 +3[\s\S]*per_prompt +4 +8/);
});

test('a model’s text cannot command the terminal that shows it', () => {
  assert.equal(plainText('a\u001b[31mb\nc\u009b\u202e', 20), 'a\\u{1b}[31mb⏎c\\u{9b}\\u{202e}');
  assert.equal(plainText('abcdef', 3), 'abc…');
  const sample: SampleDocument = {
    stage: 'zero',
    branch: 0,
    part: 0,
    sequence: 3,
    prompt: digest,
    problem: '1+1',
    domain: 'math',
    from: { stage: 'zero', checkpoint: 's3://b/m', policy: digest },
    seed: '1',
    tokens: 4,
    truncated: false,
    rewards: {
      accuracy: { score: 0, version: 1 },
      format: { error: { kind: 'timeout', message: '' }, version: 1 },
    },
    reason: 'error',
    at: { uri: 's3://b/t', offset: 0, length: 4, sha256: digest },
    text: '\u001b]0;owned\u0007',
  };
  const counts = { sampled: 4, correct: 2, kept: 1, rejected: { incorrect: 2, error: 1 } } as const;
  const stages = [{ stage: 'zero', from: ['base'], counts }];
  const text = samplesText({ stages, samples: [sample], all: 3 });
  assert.match(text, /^zero: 4 sampled by base, 2 correct, 1 kept; rejected: incorrect 2, error 1$/m);
  assert.match(
    text,
    /zero 0\/3 {2}· {2}error {2}· {2}accuracy 0, format timeout {2}· {2}4 tokens\n {2}1\+1\n/,
  );
  assert.match(text, /1 of 3 shown/);
  assert(!text.includes('\u001b') && !text.includes('\u0007'));
});

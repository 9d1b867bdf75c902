import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type CandidateSample,
  countSelected,
  type Measures,
  selectSamples,
  sumCounts,
} from '../../../algorithm/data/filters.ts';
import { templateRewriter } from '../../../algorithm/data/rewrite.ts';
import { type RejectionReason, rejectionReasons, selectionRuleSchema } from '../../../contracts/datasets.ts';

const score = (value: number) => ({ score: value, version: 1 });
const failed = { error: { kind: 'timeout', message: '' }, version: 1 };

const sample = (of: Partial<CandidateSample> = {}): CandidateSample => ({
  prompt: 'p',
  problem: '1+1',
  domain: 'math',
  text: '<think>one and one</think><answer>2</answer>',
  tokens: 10,
  truncated: false,
  rewards: { accuracy: score(1), format: score(1), language: score(1) },
  ...of,
});

const rewards = (of: CandidateSample['rewards']) => ({ ...sample().rewards, ...of });
const thinking = (text: string) => `<think>${text}</think><answer>2</answer>`;

const measures: Measures = {
  isContaminated: (problem) => problem === 'known',
  rewrite: templateRewriter('answer-tags').rewrite,
};

const rule = selectionRuleSchema.parse({
  max_tokens: 100,
  min_language_share: 0.9,
  max_paragraph: 200,
  max_repeated_share: 0.5,
  near_duplicate: {},
  per_prompt: 2,
});

const reasonsOf = (samples: CandidateSample[], seed = 1n, by = rule) =>
  selectSamples(samples, by, { measures, seed }).map(({ reason }) => reason);

/** One sample that each rule by itself refuses. */
const refused: Record<Exclude<RejectionReason, 'near-duplicate' | 'over-quota'>, Partial<CandidateSample>> = {
  error: { rewards: rewards({ accuracy: failed }) },
  incorrect: { rewards: rewards({ accuracy: score(0.5) }) },
  truncated: { truncated: true },
  'too-long': { tokens: 101 },
  format: { rewards: rewards({ format: score(0) }) },
  'empty-thinking': { text: thinking(' ') },
  'mixed-language': { rewards: rewards({ language: score(0.8) }) },
  'long-paragraph': { text: thinking('x'.repeat(201)) },
  'code-block': { text: thinking('so\n```py\nprint(2)\n```\n') },
  repetition: { text: thinking('a b c d e f '.repeat(9)) },
  contaminated: { problem: 'known' },
};

test('every rule refuses what it is for, and a good sample passes them all', () => {
  assert.deepEqual(reasonsOf([sample()]), [null]);
  for (const [reason, of] of Object.entries(refused)) assert.deepEqual(reasonsOf([sample(of)]), [reason]);
});

test('of several reasons the first in their order is told', () => {
  const all: Partial<CandidateSample> = Object.assign({}, ...Object.values(refused));
  assert.deepEqual(reasonsOf([sample({ ...all, rewards: rewards({ accuracy: failed }) })]), ['error']);
  assert.deepEqual(reasonsOf([sample({ ...all, rewards: rewards({ accuracy: score(0) }) })]), ['incorrect']);
  assert.deepEqual(reasonsOf([sample({ truncated: true, tokens: 101 })]), ['truncated']);
});

test('of near-duplicates one stays, and of the rest as many as the quota lets', () => {
  const words = [
    'one two three four five six seven',
    'ab cd ef gh ij kl mn',
    'q w e r t z u i',
    'a s d f g h j',
  ];
  const distinct = words.map((text) => sample({ text: thinking(text) }));
  const twins = [sample({ text: thinking('One two  three four five six seven') }), ...distinct];
  const reasons = reasonsOf(twins, 1n, { ...rule, per_prompt: null });
  assert.equal(reasons.filter((reason) => reason === 'near-duplicate').length, 1);
  assert.equal(reasons.filter((reason) => reason === null).length, 4);
  const limited = reasonsOf(distinct);
  assert.equal(limited.filter((reason) => reason === 'over-quota').length, 2);
  assert.deepEqual(reasonsOf([...distinct.slice(0, 2), sample({ prompt: 'other' })]), [null, null, null]);
});

test('who fills the quota hangs on the seed alone', () => {
  const samples = Array.from({ length: 12 }, (_, n) => sample({ text: thinking(`${n} ${n * n} ${n ** 3}`) }));
  assert.deepEqual(reasonsOf(samples, 7n), reasonsOf(samples, 7n));
  const kept = [1n, 2n, 3n, 4n].map((seed) => reasonsOf(samples, seed).join());
  assert(new Set(kept).size > 1);
});

test('rules that are left out refuse nothing', () => {
  const none = selectionRuleSchema.parse({
    min_accuracy: 0,
    refuse_truncated: false,
    format: 'rewritten',
    min_thinking_words: 0,
    code_blocks_in: null,
    decontaminate: false,
  });
  const all = Object.entries(refused).filter(([reason]) => reason !== 'error');
  for (const [reason, of] of all) assert.deepEqual(reasonsOf([sample(of)], 1n, none), [null], reason);
});

test('what is accepted is told in the target form, what cannot be brought into it is refused', () => {
  const by = selectionRuleSchema.parse({ format: 'rewritten' });
  const loose = sample({ text: 'one and one <answer> 2 </answer>' });
  const [selected, other] = selectSamples([loose, sample({ text: 'just 2' })], by, { measures, seed: 1n });
  assert.equal(selected?.text, '<think>one and one</think><answer>2</answer>');
  assert.equal(other?.reason, 'format');
});

test('a rule that needs a reward says so where there is no verdict of it', () => {
  const { language: _, ...others } = sample().rewards;
  assert.throws(() => reasonsOf([sample({ rewards: others })]), {
    name: 'InvalidInput',
    message: /language/,
  });
});

test('counts tell the funnel, and parts add up', () => {
  const samples = [sample(), sample(refused.incorrect), sample({ ...refused['too-long'], prompt: 'q' })];
  const selected = selectSamples(samples, rule, { measures, seed: 1n });
  const counts = countSelected(samples, selected, rule);
  assert.deepEqual(counts, { sampled: 3, correct: 2, kept: 1, rejected: { incorrect: 1, 'too-long': 1 } });
  assert.deepEqual(sumCounts([counts, counts]).rejected, { incorrect: 2, 'too-long': 2 });
  assert.equal(new Set(rejectionReasons).size, rejectionReasons.length);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rolloutHealth, thinkingOf } from '../../../algorithm/rl/rollout-health.ts';
import type { Verdict } from '../../../contracts/records/schemas.ts';

const answered = (thinking: string) => `<think>${thinking}</think><answer>1</answer>`;
const rambling = 'so it is what it is and '.repeat(20);
const texts = [
  answered('1+0=1'),
  answered(''),
  answered(rambling),
  'not in form',
  answered(''),
  answered(''),
];
const right: Verdict = { score: 1 };
const failed: Verdict = { error: { kind: 'timeout', message: '' } };

const domains = ['math', 'math', 'copy'];
const symptoms = rolloutHealth({
  thinkingN: texts.map((text, n) => thinkingOf(text, domains[Math.floor(n / 2)] ?? '', ['copy'])),
  truncatedN: [0, 0, 0, 1, 0, 0],
  rewards: [{ verdicts: [right, failed, right, right, failed, failed] }],
});

test('thinking is empty where nothing stands in it or it repeats itself; general tasks and what is not in form do not count', () => {
  assert.equal(symptoms.emptyThinkingShare, 2 / 3);
});

test('what was cut, and what a verifier could not judge, are shares of all completions', () => {
  assert.equal(symptoms.truncatedShare, 1 / 6);
  assert.equal(symptoms.errorShare, 1 / 2);
});

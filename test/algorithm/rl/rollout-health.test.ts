import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rolloutHealth } from '../../../algorithm/rl/rollout-health.ts';
import type { SampleRequest, ScoresRecord, Verdict } from '../../../contracts/records.ts';

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

const signs = rolloutHealth({
  request: {
    prompts: [{ domain: 'math' }, { domain: 'math' }, { domain: 'copy' }],
    numGenerations: 2,
  } as SampleRequest,
  scores: {
    texts,
    rewards: [{ name: 'accuracy', version: 1, verdicts: [right, failed, right, right, failed, failed] }],
  } as unknown as ScoresRecord,
  truncatedN: [0, 0, 0, 1, 0, 0],
  generalDomains: ['copy'],
});

test('thinking is empty where nothing stands in it or it repeats itself; general tasks and what is not in form do not count', () => {
  assert.equal(signs.emptyThinkingShare, 2 / 3);
});

test('what was cut, and what a verifier could not judge, are shares of all completions', () => {
  assert.equal(signs.truncatedShare, 1 / 6);
  assert.equal(signs.errorShare, 1 / 2);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { evaluatedSamples } from '../../../../activities/orchestrator/evaluation/record-evaluation.ts';
import { consAtK } from '../../../../algorithm/evaluation/statistics.ts';
import { type Verdict, verdictSchema } from '../../../../contracts/records/schemas.ts';

/** Samples of one problem with these verdicts of the accuracy reward. */
function samplesOf(verdicts: Verdict[], texts: string[] = verdicts.map(() => '')) {
  const prompt = { slot: 0, prompt: 'a'.repeat(64), problem: 'p', answer: '1/2', domain: 'math' };
  return evaluatedSamples(
    { prompts: [prompt], numGenerations: verdicts.length },
    { rewards: [{ name: 'accuracy', version: 1, verdicts }], texts },
    new Int32Array(verdicts.length).fill(1),
  );
}

const answersOf = (verdicts: Verdict[], texts?: string[]) =>
  samplesOf(verdicts, texts).flatMap((samples) => samples.map(({ answer }) => answer));

test('answers of equal value vote together, however they are written', () => {
  const verdicts = [
    { score: 0, extracted: '7', value: '7' },
    { score: 1, extracted: '0.5', value: 'the ground truth' },
    { score: 1, extracted: '\\frac12', value: 'the ground truth' },
    { score: 0, extracted: '7.5', value: '15/2' },
  ];
  assert.deepEqual(answersOf(verdicts), ['7', 'the ground truth', 'the ground truth', '15/2']);
  assert.equal(consAtK(samplesOf(verdicts)), 1);
});

test('a response that answers nothing has no vote', () => {
  const silent = { score: 0, extracted: 'I do not know', value: null };
  assert.deepEqual(answersOf([silent, silent, { score: 1, extracted: '5', value: '5' }]), [null, null, '5']);
  assert.equal(consAtK(samplesOf([silent, silent, silent, { score: 1, value: '5' }])), 1);
  assert.equal(consAtK(samplesOf([silent, silent])), 0);
});

test('verdicts that an earlier release wrote still parse, and vote by their text', () => {
  const old = [{ score: 1, extracted: '0.5 ' }, { score: 0 }, { score: 0, extracted: 'No idea.' }].map(
    (each) => verdictSchema.parse(each),
  );
  const texts = ['', '<think>a</think><answer>b\n c</answer>', ''];
  assert.deepEqual(answersOf(old, texts), ['0.5', 'b c', null]);
  const failed = verdictSchema.parse({ error: { kind: 'timeout', message: 'm' } });
  assert.deepEqual(answersOf([failed, { score: 1, extracted: '5' }]), [null, '5']);
});

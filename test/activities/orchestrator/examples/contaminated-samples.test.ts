import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explainRejection } from '../../../../activities/orchestrator/examples/explain-rejection.ts';
import { measuresOf } from '../../../../activities/orchestrator/examples/select-samples.ts';
import { indexEvaluations } from '../../../../algorithm/data/decontamination.ts';
import { type CandidateSample, countSelected, selectSamples } from '../../../../algorithm/data/filters.ts';
import { rejectionReasons, selectionRuleSchema } from '../../../../contracts/datasets.ts';

const rule = selectionRuleSchema.parse({ format: 'rewritten', template: 'summary' });

const INSTRUCTION =
  'Think about the reasoning process step by step, then give your final answer in the tags.';
const places = {
  before: (problem: string) => `${INSTRUCTION}\n${problem}`,
  after: (problem: string) => `${problem}\n${INSTRUCTION}`,
  around: (problem: string) => `${INSTRUCTION}\n${problem}\n${INSTRUCTION} Go.`,
  within: (problem: string) => `Hello. ${INSTRUCTION}\n\nProblem: ${problem}\n\nNow answer it.`,
};

const sum = (n: number) => `What is ${n} plus ${2 * n + 1}?`;
const TALE = 'A baker sells nine loaves in the morning and twice as many before noon; how many has he sold?';

/** Right samples, one a problem. */
const samplesOf = (problems: readonly string[]): CandidateSample[] =>
  problems.map((problem, n) => ({
    prompt: String(n),
    problem,
    domain: 'math',
    text: `<think>so ${n}</think>It is ${n}.`,
    tokens: 8,
    truncated: false,
    rewards: { accuracy: { score: 1, version: 1 } },
  }));

/** How many samples of training problems are kept, where these are held out. */
function kept(train: readonly string[], heldOut: readonly string[]) {
  const evaluated = indexEvaluations(heldOut, { learned: train.map((problem) => [problem]) });
  const samples = samplesOf(train);
  const selected = selectSamples(samples, rule, { measures: measuresOf(rule.template, evaluated), seed: 1n });
  const { kept, rejected } = countSelected(samples, selected, rule);
  return { kept, rejected, refused: train.filter((_, n) => selected[n]?.reason === 'contaminated') };
}

const sums = (count: number, from: number) => Array.from({ length: count }, (_, i) => sum(from + i));

for (const [place, wrap] of Object.entries(places)) {
  for (const [train, heldOut] of [
    [19, 8],
    [5, 1],
    [4, 2],
    [3, 3],
    [300, 100],
  ] as const) {
    test(`${train} right samples are kept where each problem has an instruction ${place} it, ${heldOut} held out`, () => {
      const all = kept(sums(train, 500).map(wrap), sums(heldOut, 10).map(wrap));
      assert.deepEqual([all.kept, all.rejected], [train, {}]);
    });
  }

  test(`a held-out problem is found with the instruction ${place} it, with another, and bare`, () => {
    const copies = [wrap(TALE), `${TALE} Answer in one word.`, `Solve. ${TALE}`];
    const { refused } = kept([...sums(19, 500).map(wrap), ...copies], [...sums(7, 10), TALE].map(wrap));
    assert.deepEqual(refused, copies);
  });

  test(`a short held-out problem is found with the instruction ${place} it`, () => {
    const { refused } = kept([...sums(19, 500), sum(12)].map(wrap), sums(8, 10).map(wrap));
    assert.deepEqual(refused, [wrap(sum(12))]);
  });
}

test('what a rule refuses is named by the rule’s key, with the sample and what was found in it', () => {
  const [sample] = samplesOf([TALE]).map(({ prompt, text, truncated, ...rest }) => ({
    ...rest,
    part: 2,
    sequence: 7,
  }));
  assert.ok(sample !== undefined);
  const evaluated = indexEvaluations([TALE]);
  const explained = (reason: (typeof rejectionReasons)[number]) =>
    explainRejection(reason, sample, { rule, evaluated });
  assert.match(
    explained('contaminated'),
    /^keep\.decontaminate: sample 2\/7, to "A baker .*", has a problem that shares "a baker .*" with a held-out one$/,
  );
  assert.match(explained('incorrect'), /^keep\.min_accuracy: 1: .* has accuracy 1$/);
  for (const reason of rejectionReasons) assert.match(explained(reason), /: sample 2\/7, to "A baker/);
});

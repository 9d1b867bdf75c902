import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  alarmRules,
  raisedByEvaluation,
  raisedByStep,
  type WatchedEvaluation,
  type WatchedStep,
} from '../../../algorithm/run/alarms.ts';
import type { AlarmName, AlarmRule } from '../../../contracts/alarms.ts';

const healthy: WatchedStep = {
  kl: 0.01,
  entropy: 0.5,
  zeroVarianceShare: 0.2,
  truncatedShare: 0,
  emptyThinkingShare: 0,
  errorShare: 0,
};
const evaluation = (of: Partial<WatchedEvaluation> = {}): WatchedEvaluation => ({
  passAt1: 0.5,
  languageConsistency: 1,
  reward: 1,
  ...of,
});
const rule = (name: AlarmName, threshold: number, window: number): AlarmRule => ({
  name,
  threshold,
  window,
  action: 'park',
});
const names = (raised: { rule: AlarmRule }[]) => raised.map(({ rule }) => rule.name);

const sick: [AlarmName, Partial<WatchedStep>, number][] = [
  ['empty-thinking', { emptyThinkingShare: 1 }, 0.9],
  ['length-at-limit', { truncatedShare: 0.5 }, 0.4],
  ['entropy-collapse', { entropy: 0.001 }, 0.01],
  ['kl-too-large', { kl: 2 }, 1.5],
  ['no-variance', { zeroVarianceShare: 1 }, 0.95],
  ['verifier-errors', { errorShare: 0.1 }, 0.08],
];

for (const [name, signs, threshold] of sick) {
  test(`${name} is raised by the step with which the window's mean crosses its threshold, and not again while it stays there`, () => {
    const rules = [rule(name, threshold, 2)];
    const ill = { ...healthy, ...signs };
    const raisedAt = (steps: WatchedStep[]) => names(raisedByStep(steps, rules));
    assert.deepEqual(raisedAt([healthy, healthy, healthy]), []);
    assert.deepEqual(raisedAt([healthy, ill, ill]), [name]);
    assert.deepEqual(raisedAt([ill, ill, ill]), []);
    assert.deepEqual(raisedAt([ill]), []);
  });
}

test('a measure that a step does not have raises nothing', () => {
  const nothing = { ...healthy, kl: null, entropy: null };
  const rules = [rule('kl-too-large', 0, 1), rule('entropy-collapse', 9, 1)];
  assert.deepEqual(raisedByStep([nothing], rules), []);
});

test('reward-hacking is raised where held-out pass@1 falls while the reward rises, and not where both fall', () => {
  const rules = [rule('reward-hacking', 0.1, 3)];
  const before = [evaluation({ passAt1: 0.4, reward: 0.8 }), evaluation({ passAt1: 0.6, reward: 1 })];
  const [raised] = raisedByEvaluation([...before, evaluation({ passAt1: 0.45, reward: 1.4 })], rules);
  assert.equal(raised?.rule.name, 'reward-hacking');
  assert.match(
    raised?.text ?? '',
    /fall of held-out pass@1 while the reward rose: 0\.15 over its last 3 evaluations/,
  );
  assert.deepEqual(raisedByEvaluation([...before, evaluation({ passAt1: 0.45, reward: 0.9 })], rules), []);
});

test('language-mixing is raised by the evaluation that falls below the share', () => {
  const rules = [rule('language-mixing', 0.8, 1)];
  const mixed = evaluation({ languageConsistency: 0.6 });
  assert.deepEqual(names(raisedByEvaluation([evaluation(), mixed], rules)), ['language-mixing']);
  assert.deepEqual(raisedByEvaluation([mixed, mixed], rules), []);
});

test('a stage takes the defaults, then the run’s settings, then its own; off is not watched for', () => {
  const rules = alarmRules(
    'grpo',
    [
      { name: 'kl-too-large', threshold: 3, action: 'pause' },
      { name: 'no-variance', action: 'off' },
    ],
    [{ name: 'kl-too-large', threshold: 5 }],
  );
  const kl = rules.find(({ name }) => name === 'kl-too-large');
  assert.deepEqual(kl, { name: 'kl-too-large', threshold: 5, window: 5, action: 'pause' });
  assert(!rules.some(({ name }) => name === 'no-variance'));
});

test('a stage that does not train by reinforcement watches for what it names alone', () => {
  assert.deepEqual(alarmRules('sft', [{ name: 'kl-too-large' }], []), []);
  assert.deepEqual(
    alarmRules('sft', [], [{ name: 'language-mixing' }]).map(({ name }) => name),
    ['language-mixing'],
  );
});

import type { ReportData } from '../../../cli/report/report-data.ts';
import type { EvaluationDocument, ShowDocument, StepDocument } from '../../../contracts/documents.ts';
import { evaluationSchema } from '../../../contracts/options.ts';
import { evaluationFixture, showFixture, stepFixture } from '../fixtures.ts';

type Stage = ShowDocument['stages'][number];

const stageOf = (stage: string, algorithm: Stage['algorithm'], origin: string, steps: number): Stage => {
  const [of] = showFixture({ status: 'complete', step: steps }).stages;
  if (of === undefined) throw new TypeError('expected a stage');
  return { ...of, stage, algorithm, origin, steps, workflowId: `r1/small-1/${stage}` };
};

const stages: Stage[] = [
  stageOf('zero', 'grpo', 'base', 40),
  stageOf('cold-start-sft', 'sft', 'base', 20),
  stageOf('reasoning-rl', 'grpo', 'cold-start-sft', 30),
  stageOf('rejection-sft', 'sft', 'base', 40),
  stageOf('reward-model/safety', 'reward-model', 'base', 20),
  stageOf('scenario-rl', 'grpo', 'rejection-sft', 24),
  stageOf('distill/small', 'sft', 'student/small', 40),
  stageOf('control/small', 'grpo', 'student/small', 40),
];

/** A step that gets better as it goes; of a supervised stage it has no reward. */
function stepsOf({ stage, algorithm, steps }: Stage): StepDocument[] {
  const reinforced = { kl: 0, entropy: 0, clipFraction: 0, zeroVarianceShare: 0.2 };
  const nothing = {
    reward: null,
    rewards: null,
    accuracy: null,
    kl: null,
    entropy: null,
    clipFraction: null,
  };
  return Array.from({ length: steps }, (_, n) => {
    const part = n / steps;
    const accuracy = 0.2 + 0.7 * part + 0.03 * Math.sin(n);
    const rewards = { accuracy, format: 1 - 0.1 * Math.cos(n) ** 2, language: 0.7 + 0.3 * part };
    const reward = rewards.accuracy + rewards.format + rewards.language;
    const figures = { ...reinforced, reward, rewards, accuracy, kl: 0.06 * part, entropy: 0.9 - 0.5 * part };
    return stepFixture({
      stage,
      step: n + 1,
      meanLength: 12 + 40 * part,
      loss: 1 - part,
      ...(algorithm === 'grpo' ? figures : { ...nothing, zeroVarianceShare: null }),
    });
  });
}

const measured = (stage: string, step: number, passAt1: number, of: Partial<EvaluationDocument> = {}) => ({
  ...evaluationFixture({
    stage,
    step,
    passAt1,
    passAt1Interval: [passAt1 - 0.03, Math.min(1, passAt1 + 0.03)],
    problems: 256,
    k: 16,
    generalAbility: 0.5,
    languageConsistency: 0.9,
    ...of,
  }),
  quick: false,
});

/** A run of the whole recipe, as its report sees it. */
export function reportFixture(of: Partial<ReportData> = {}): ReportData {
  const show = { ...showFixture({ status: 'complete' }), stages };
  return {
    show,
    description: 'DeepSeek-R1 on sums of four small numbers',
    withPaper: true,
    evaluation: evaluationSchema.parse({ max_completion_length: 128 }),
    evaluations: [
      measured('base', 0, 0.137, { generalAbility: 0.62, languageConsistency: 0.8 }),
      { ...measured('zero', 20, 0.54), quick: true, generalAbility: null },
      measured('zero', 40, 0.97, { generalAbility: 0.21, languageConsistency: 0.55 }),
      measured('cold-start-sft', 20, 0.78),
      measured('reasoning-rl', 30, 0.95),
      measured('rejection-sft', 40, 0.93, { generalAbility: 0.9 }),
      measured('scenario-rl', 24, 0.98, { generalAbility: 0.92 }),
      measured('student/small', 0, 0.09),
      measured('distill/small', 40, 0.81),
      measured('control/small', 40, 0.34),
    ],
    steps: stages.flatMap(stepsOf),
    costs: stages.map(({ stage }) => ({
      stage,
      wallSeconds: 95,
      sampling: 31,
      scoring: 2.5,
      training: 44,
      evaluating: 9,
      saving: 1.5,
      other: 6,
      tokensSampled: 812_000,
      tokensForExamples: stage === 'rejection-sft' ? 61_000 : 0,
      tokensEvaluated: 140_000,
      tokensTrained: 812_000,
    })),
    budgets: new Map(stages.map(({ stage }) => [stage, 2.5])),
    funnels: [
      {
        stage: 'rejection-sft',
        from: 'reasoning-rl',
        counts: {
          sampled: 2400,
          correct: 2051,
          kept: 1033,
          rejected: { incorrect: 349, 'mixed-language': 41, 'near-duplicate': 577, 'over-quota': 400 },
        },
        rows: 1633,
      },
    ],
    answers: [
      {
        problem: '7+15+3+12=?',
        answer: '37',
        domain: 'nano-sums',
        responses: ['base', 'zero', 'cold-start-sft', 'reasoning-rl', 'rejection-sft', 'scenario-rl'].map(
          (policy, n) => ({
            policy,
            text: '<think>first 7+15=22 then 22+3=25 then 25+12=37</think><answer>37</answer>',
            parts:
              n === 0
                ? null
                : { thinking: 'first 7+15=22 then 22+3=25\nthen 25+12=37', final: '37', answer: '37' },
            correct: n !== 0,
          }),
        ),
      },
    ],
    links: {
      run: 'http://127.0.0.1:8233/namespaces/default/workflows/r1%2Fsmall-1',
      stages: Object.fromEntries(
        stages.map(({ stage, workflowId }) => [stage, `http://127.0.0.1:8233/${workflowId}`]),
      ),
    },
    madeAt: '2024-05-01T13:00:00.000Z',
    ...of,
  };
}

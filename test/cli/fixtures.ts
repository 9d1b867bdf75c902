import type { EvaluationDocument, ShowDocument, StepDocument } from '../../contracts/documents.ts';

const digest = 'ab'.repeat(32);
const startedAt = '2024-05-01T12:00:00.000Z';

export function evaluationFixture(of: Partial<EvaluationDocument> = {}): EvaluationDocument {
  return {
    stage: 'zero',
    step: 20,
    problems: 64,
    k: 4,
    passAt1: 0.42,
    passAt1Interval: [0.4, 0.44],
    consAtK: 0.5,
    consAtKInterval: [0.38, 0.62],
    formatRate: 0.9,
    meanLength: 31.5,
    reflectionRate: 0.2,
    passAtK: 0.6,
    passAtKInterval: [0.48, 0.71],
    byDomain: null,
    generalAbility: null,
    languageConsistency: null,
    ...of,
  };
}

interface ShowOf {
  status: ShowDocument['status'];
  step?: number;
  stageStatus?: ShowDocument['stages'][number]['status'];
  reason?: string | null;
  evaluations?: EvaluationDocument[];
  stageOf?: Partial<ShowDocument['stages'][number]>;
}

export function showFixture({
  status,
  step = 1,
  stageStatus,
  reason = null,
  evaluations = [],
  stageOf = {},
}: ShowOf): ShowDocument {
  const stage: ShowDocument['stages'][number] = {
    stage: 'zero',
    algorithm: 'grpo',
    origin: 'base',
    needs: [],
    workflowId: 'r1/small-1/zero',
    parentWorkflowId: 'r1/small-1',
    measure: null,
    dataset: null,
    status: stageStatus ?? (status === 'complete' ? 'complete' : 'running'),
    reason,
    branch: 0,
    step,
    steps: 4,
    checkpoint: { uri: 's3://r1-runs/runs/small-1/zero/manifest.json', digest },
    changes: [],
    seams: [],
    verifierChanges: [],
    startedAt,
    finishedAt: null,
    ...stageOf,
  };
  const named = { run: 'small-1', workflowId: 'r1/small-1', recipe: 'small', seed: '1' };
  const run = { ...named, status, startedAt, finishedAt: null, place: null };
  return { ...run, stages: [stage], evaluations, checkpoints: [], alarms: [] };
}

export function stepFixture(of: Partial<StepDocument> = {}): StepDocument {
  return {
    stage: 'zero',
    branch: 0,
    step: 1,
    digestBefore: digest,
    digestAfter: digest,
    batch: { uri: 's3://r1-runs/batch.safetensors', sha256: digest, bytes: 1000 },
    loss: 0.001,
    learningRate: 1e-4,
    gradNorm: 0.5,
    entropy: 0.7,
    kl: 0.004,
    clipFraction: 0.01,
    samplerGap: 1e-6,
    reward: 1.31,
    rewards: { accuracy: 0.41, format: 0.9 },
    accuracy: 0.41,
    meanLength: 48.2,
    zeroVarianceShare: 0.1,
    dropped: 0,
    tokensSampled: 10_000,
    tokensTrained: 10_000,
    secondsSampling: 1,
    secondsScoring: 0.1,
    secondsTraining: 0.8,
    secondsOther: 0.1,
    seam: false,
    ...of,
  };
}

import type { TestContext } from 'node:test';
import { wilsonInterval } from '../../algorithm/evaluation/statistics.ts';
import { numbersInForce } from '../../algorithm/rl/schedules.ts';
import { policyAfter, policyOfWeights } from '../../algorithm/run/policy-id.ts';
import type { EvaluationSummary } from '../../contracts/activities.ts';
import type { StepKey } from '../../contracts/identity.ts';
import type { Numerics } from '../../contracts/numerics.ts';
import { evaluationSchema, grpoSchema } from '../../contracts/options.ts';
import type { RunPlan } from '../../contracts/plan.ts';
import type { BatchRecord } from '../../contracts/records/schemas.ts';
import type { Reference } from '../../contracts/reference.ts';
import { MIGRATIONS } from '../../infra/paths.ts';
import { importPromptSet, promptHash } from '../../stores/data/prompts.ts';
import { createDatabase, type Database } from '../../stores/database/database.ts';
import { migrate } from '../../stores/database/migrate.ts';
import { createRun } from '../../stores/runs/runs.ts';
import { claimTerm } from '../../stores/runs/terms.ts';
import { commitBatch, type NewBatch } from '../../stores/steps/batches.ts';
import { type NewStep, recordStep } from '../../stores/steps/steps.ts';
import { withStack } from '../helpers/stack.ts';

/** SHA-256-shaped, and told apart by a short name. */
export const digest = (name: string) => Buffer.from(name).toString('hex').padEnd(64, '0').slice(0, 64);

export const reference = (name: string): Reference => ({
  uri: `s3://bucket/${name}`,
  sha256: digest(name),
  bytes: 100,
});

export const numerics: Numerics = {
  engine: 'onnxruntime',
  version: '1',
  device: 'cpu',
  instructionSet: 'avx2',
  threads: 2,
  deterministic: true,
};

export const options = grpoSchema.parse({
  learning_rate: 0.001,
  max_steps: 8,
  save_steps: 4,
  prompts_per_step: 2,
  num_generations: 2,
  steps_per_generation: 2,
  num_iterations: 2,
  max_completion_length: 16,
});

export const KEY = { run: 'calm', stage: 'zero' };
export const BRANCH = { ...KEY, branch: 0 };
export const at = (step: number, branch = 0): StepKey => ({ ...KEY, branch, step });

export const prompts = (count: number) =>
  Array.from({ length: count }, (_, n) => ({
    problem: `1+${n}`,
    answer: String(n + 1),
    domain: 'math',
    split: n % 10 === 9 ? ('test' as const) : ('train' as const),
    hash: digest(`p${n}`),
    source: 'sums.jsonl',
    line: n + 1,
  }));

/** A migrated database of the test's own. */
export async function migratedDatabase(test: TestContext): Promise<Database> {
  const database = await emptyDatabase(test);
  await migrate(database, MIGRATIONS);
  return database;
}

/** A database of the test's own without tables. */
export async function emptyDatabase(test: TestContext): Promise<Database> {
  const stack = await withStack(test);
  return openDatabase(test, stack.postgres.url);
}

export function openDatabase(test: TestContext, url: string): Database {
  const database = createDatabase(url);
  test.after(() => database.close());
  return database;
}

/** A database that holds one run `calm` with one stage `zero`. */
export async function databaseWithRun(test: TestContext): Promise<Database> {
  const database = await migratedDatabase(test);
  await addRun(database, KEY.run);
  return database;
}

export async function addRun(database: Database, run: string): Promise<void> {
  const set = await importPromptSet(database, { name: 'sums', prompts: prompts(20) });
  const initial = {
    step: 0,
    manifest: reference('base'),
    digests: { weights: digest('w0'), moments: null, reference: null },
  };
  const evaluation = evaluationSchema.parse({ max_completion_length: 16 });
  const plan: RunPlan = {
    seed: '18446744073709551615',
    promptSet: set.digest,
    trainPrompts: set.train,
    promptFormat: 'text',
    generalDomains: [],
    stages: [
      {
        stage: KEY.stage,
        algorithm: 'grpo',
        options,
        evaluation,
        origin: { kind: 'model', name: 'base', checkpoint: initial },
        needs: [],
        alarms: [],
      },
    ],
  };
  const recipe = {
    name: 'nano',
    description: '',
    seed: 1,
    base: 'models/nano',
    students: {},
    prompts: { source: 'jsonl' as const, path: 'sums.jsonl' },
    prompt_format: 'text' as const,
    evaluation,
    alarms: [],
    stages: [{ stage: 'zero' as const, algorithm: 'grpo' as const, options, alarms: [] }],
  };
  await createRun(database, { run, recipe, plan, base: initial });
}

/** The policy after a step whose batches are called batch-1, batch-2, … */
export const policyAt = (step: number): string =>
  step === 0
    ? policyOfWeights(digest('w0'))
    : policyAfter(policyAt(step - 1), reference(`batch-${step}`).sha256);

/** The batch of a step: its rollout is the one that the options give it, its weights are called w0, w1, … */
export function batchOf(
  step: number,
  term: number,
  { name = `batch-${step}`, branch = 0, before = policyAt(step - 1) } = {},
): NewBatch {
  const firstStep = step <= 4 ? 1 : 5;
  const hand = {
    branch: 0,
    firstStep,
    request: reference(`request-${firstStep}`),
    rollout: reference(`rollout-${firstStep}`),
    scores: reference(`scores-${firstStep}`),
    logprobs: null,
    tokensSampled: 30,
    cursorBefore: { pass: 0, position: firstStep - 1 },
    cursorAfter: { pass: 0, position: firstStep + 3 },
  };
  const record: BatchRecord = {
    kind: 'batch',
    key: at(step, branch),
    rollout: hand.rollout,
    version: 2,
    numbers: numbersInForce(step, options, []),
    old: 'own',
    policy: policyAt(firstStep - 1),
    policyDigest: digest(`w${firstStep - 1}`),
    policyBefore: before,
    samplerNumerics: numerics,
    digestBefore: digest(`w${step - 1}`),
    referenceDigest: null,
    refreshReference: null,
    cursorBefore: hand.cursorBefore,
    cursorAfter: hand.cursorAfter,
    checkAfter: 'digest',
  };
  const summary = {
    reward: 0.5,
    rewards: { accuracy: 0.25, format: 0.25 },
    accuracy: 0.25,
    meanLength: 7.5,
    zeroVarianceShare: 0,
    dropped: 1,
    tokens: 30,
  };
  const batch = reference(name);
  const { reward, accuracy, meanLength, dropped, tokens } = summary;
  const result = {
    batch,
    completions: 4,
    tokens,
    dropped,
    reward,
    accuracy,
    meanLength,
    learningRate: 0.001,
  };
  const uses = step === firstStep ? usesOf() : [];
  return {
    key: at(step, branch),
    term,
    batch,
    hand,
    record,
    summary,
    health: null,
    verifiers: { accuracy: 1 },
    result,
    uses,
  };
}

const usesOf = () => [
  { slot: 0, prompt: promptAt(0), trained: true },
  { slot: 1, prompt: promptAt(1), trained: false },
];

const promptAt = (n: number) => {
  const prompt = prompts(n + 1)[n];
  if (prompt === undefined) throw new Error('no such prompt');
  return promptHash(prompt);
};

export function stepOf(step: number, term: number, { branch = 0, after = `w${step}` } = {}): NewStep {
  return {
    key: at(step, branch),
    term,
    batch: reference(`batch-${step}`),
    result: {
      version: 2,
      step,
      policy: null,
      fingerprintAfter: null,
      digestBefore: digest(`w${step - 1}`),
      digestAfter: digest(after),
      referenceDigest: null,
      metrics: {
        loss: 0.125,
        gradNorm: 1.5,
        entropy: null,
        kl: 1e-7,
        clipFraction: 0,
        samplerGap: 0.001,
        tokensTrained: 30,
        accuracy: null,
      },
      numerics,
      seconds: 2,
    },
    spent: { tokensSampled: 60, sampling: 3, scoring: 0.5, logprobs: 1 },
    secondsOther: 0.25,
    alarms: [],
    seam: false,
  };
}

/** Logs and records the steps from `from` to `to`. */
export async function train(
  database: Database,
  from: number,
  to: number,
  term: number,
  branch = 0,
): Promise<void> {
  for (let step = from; step <= to; step++) {
    await commitBatch(database, batchOf(step, term, { branch }));
    await recordStep(database, stepOf(step, term, { branch }));
  }
}

/** What an evaluation of four problems says. */
export const evaluationFigures: EvaluationSummary = {
  problems: 4,
  k: 2,
  passAt1: 0.5,
  passAt1Interval: [0.25, 0.75],
  passAtK: 0.75,
  passAtKInterval: wilsonInterval(0.75, 4),
  consAtK: 0.5,
  consAtKInterval: wilsonInterval(0.5, 4),
  formatRate: 1,
  meanLength: 20.5,
  reflectionRate: 0.25,
  byDomain: {},
  generalAbility: null,
  languageConsistency: null,
};

export const checkpointOf = (step: number, term: number, name = `manifest-${step}-t${term}`) => ({
  key: at(step),
  term,
  manifest: reference(name),
  digests: { weights: digest(`w${step}`), moments: digest(`m${step}`), reference: null },
  bytes: 3_000_000_000,
});

export const claim = async (database: Database) => (await claimTerm(database, BRANCH, 'test')).term;

/** A database whose run `calm` is held by `term`, its stage `zero` trained to step `trainedTo`. */
export async function claimedRun(test: TestContext, trainedTo = 0) {
  const database = await databaseWithRun(test);
  const term = await claim(database);
  await train(database, 1, trainedTo, term);
  return { database, term };
}

/** For assert.rejects: a Failure of this kind whose message holds all of these. */
export const failure =
  (kind: string, ...parts: (string | RegExp)[]) =>
  (error: unknown): boolean => {
    if (!(error instanceof Error) || error.name !== kind) throw error;
    const missing = parts.filter(
      (part) => !(typeof part === 'string' ? error.message.includes(part) : part.test(error.message)),
    );
    if (missing.length > 0) throw new Error(`expected ${missing.join(', ')} in: ${error.message}`);
    return true;
  };

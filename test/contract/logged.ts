/** Requests and batches, made from the table of tensors, and a logged history of steps. */
import assert from 'node:assert/strict';
import type { z } from 'zod';
import { objectKey } from '../../contracts/object-keys.ts';
import { RECORD_VERSION, type weightsCheckSchema } from '../../contracts/records/schemas.ts';
import type { Reference } from '../../contracts/reference.ts';
import {
  type CheckedRecord,
  check,
  encode,
  flags,
  floats,
  hashes,
  ints,
  longs,
  sha256Of,
  type Tensors,
  texts,
} from './records.ts';
import type { ResultOf, Session, Trainer } from './session.ts';

const LENGTH = 24;
export const GROUP = 4;

export interface RequestOptions {
  step?: number;
  prompts?: number;
  /** seeds and prompts follow from it */
  seed?: number;
  sampling?: object;
}

/** Token ids of a prompt, of different lengths; never the end token. */
function promptTokens({ base }: Session, seed: number, index: number): number[] {
  const known = Array.from({ length: base.vocabulary }, (_, id) => id).filter(
    (id) => !base.eosTokenIds.includes(id),
  );
  const length = 4 + ((seed + index) % 5);
  return Array.from({ length }, (_, t) => known[(7 * seed + 13 * index + 5 * t) % known.length] ?? 0);
}

export function requestOf(session: Session, { prompts = 3, seed = 1, sampling = {} }: RequestOptions = {}) {
  const tokensP = Array.from({ length: prompts }, (_, index) => promptTokens(session, seed, index));
  const n = prompts * GROUP;
  // Beyond 2^63: seeds are unsigned.
  const seeds = Array.from({ length: n }, (_, index) =>
    BigInt.asIntN(64, 0x9e3779b97f4a7c15n * BigInt(seed * 10_000 + index)),
  );
  const record = {
    kind: 'sample-request',
    version: RECORD_VERSION,
    numGenerations: GROUP,
    sampling: { temperature: 1, top_p: 1, top_k: 0, max_completion_length: LENGTH, ...sampling },
    model: session.base.manifest,
    eosTokenIds: session.base.eosTokenIds,
  };
  const tensors: Tensors = new Map([
    ['promptTokens', ints(tokensP.flat())],
    ['promptLengths', ints(tokensP.map(({ length }) => length))],
    ['seeds', longs(seeds)],
    ['slots', ints(tokensP.map((_, slot) => slot))],
    ['prompts', hashes(tokensP.map((tokens) => sha256Of(tokens.join())))],
    ...texts(
      'problems',
      tokensP.map((_, index) => `problem ${index}: 1 + ${seed}`),
    ),
    ...texts(
      'answers',
      tokensP.map((_, index) => (index === 1 ? '' : `思${index}`)),
    ),
    ...texts(
      'domains',
      tokensP.map(() => 'math'),
    ),
    ...texts(
      'prefills',
      tokensP.map(() => ''),
    ),
  ]);
  return { record, tensors, tokensP };
}

export const putRequest = async (session: Session, bytes: Uint8Array, step = 1): Promise<Reference> =>
  await session.objects.put(
    (digest) => objectKey('request', { run: 'contract', stage: 'zero', branch: 0, step, digest }),
    bytes,
  );

export async function storeRequest(session: Session, options: RequestOptions = {}): Promise<Reference> {
  const { record, tensors } = requestOf(session, options);
  const bytes = encode(record, tensors);
  check('sample-request', bytes);
  return await putRequest(session, bytes, options.step);
}

export const putBatch = async (trainer: Trainer, bytes: Uint8Array, step: number): Promise<Reference> =>
  await trainer.session.objects.put(
    (digest) => objectKey('batch', { ...trainer.lease, step, digest }),
    bytes,
  );

export const NUMBERS = {
  learning_rate: 5e-3,
  max_grad_norm: 1,
  weight_decay: 0.01,
  adam_beta1: 0.9,
  adam_beta2: 0.99,
  adam_epsilon: 1e-8,
};

/** A shard that was sampled, and its log-probabilities by the policy that sampled it and by the reference. */
export interface SampledShard {
  request: Reference;
  promptsP: number[][];
  rollout: CheckedRecord<'rollout'>;
  rolloutAt: Reference;
  old: number[];
  reference: number[];
}

export async function sampledShard(
  trainer: Trainer,
  policy: string,
  options: RequestOptions,
): Promise<SampledShard> {
  const { session } = trainer;
  const request = await storeRequest(session, options);
  const { rollout: rolloutAt } = await trainer.call('sample', { request, policy });
  const rollout = check('rollout', await session.objects.get(rolloutAt));
  const scored = await trainer.call('logprobs', {
    rollout: rolloutAt,
    temperature: 1,
    of: ['old', 'reference'],
    policy,
  });
  const lengths = rollout.column('completionLengths');
  const logprobs = check('logprobs', await session.objects.get(scored.logprobs), lengths);
  return {
    request,
    promptsP: requestOf(session, options).tokensP,
    rollout,
    rolloutAt,
    old: logprobs.column('old'),
    reference: logprobs.column('reference'),
  };
}

export interface BatchOptions {
  shard: SampledShard;
  step: number;
  /** that sampled */
  policy: string;
  policyBefore: string;
  digestBefore?: string | null;
  referenceDigest: string;
  old: 'own' | 'logged';
  checkAfter?: z.infer<typeof weightsCheckSchema>;
  refreshReference?: { alpha: number } | null;
}

const cursor = (position: number) => ({ pass: 0, position });

export function batchOf(trainer: Trainer, options: BatchOptions) {
  const { shard, step } = options;
  const { rollout } = shard;
  const lengths = rollout.column('completionLengths');
  const promptsN = lengths.map((_, n) => shard.promptsP[Math.floor(n / GROUP)] ?? []);
  const record = {
    kind: 'batch',
    version: RECORD_VERSION,
    key: { run: 'contract', stage: 'zero', branch: 0, step },
    // A worker does not read it.
    rollout: shard.rolloutAt,
    numbers: {
      ...NUMBERS,
      temperature: 1,
      beta: 0.02,
      use_bias_correction_kl: false,
      epsilon: 0.2,
      epsilon_high: 0.3,
      delta: 4,
      loss_type: 'grpo',
      adam_step: step,
    },
    old: options.old,
    policy: options.policy,
    policyDigest: options.shard.rollout.record.policyDigest,
    policyBefore: options.policyBefore,
    digestBefore: options.digestBefore ?? null,
    referenceDigest: options.referenceDigest,
    samplerNumerics: trainer.acquired.samplerNumerics,
    refreshReference: options.refreshReference ?? null,
    cursorBefore: cursor(step - 1),
    cursorAfter: cursor(step),
    checkAfter: options.checkAfter ?? 'digest',
  };
  const tensors: Tensors = new Map([
    ['promptTokens', ints(promptsN.flat())],
    ['promptLengths', ints(promptsN.map(({ length }) => length))],
    ['completionTokens', ints(rollout.column('completionTokens'))],
    ['completionLengths', ints(lengths)],
    ['advantages', floats(lengths.map((_, n) => Math.sin(3 * n + step)))],
    ['lossWeights', floats(lengths.map((length) => 1 / (length * lengths.length)))],
    ['samplerLogprobs', floats(rollout.column('logprobs'))],
    ['referenceLogprobs', floats(shard.reference)],
    ...(options.old === 'logged' ? [['oldLogprobs', floats(shard.old)] as const] : []),
    ['sequences', ints(lengths.map((_, n) => n))],
    ['dropSequences', ints([])],
    ['dropReasons', flags([])],
    ...texts('dropMessages', []),
  ]);
  return { record, tensors };
}

/** A logged step: its batch, and what it gave when it was first trained. */
export interface LoggedStep {
  batch: Reference;
  result: ResultOf<'trainStep'>;
  policyBefore: string;
}

export const policyAfter = (policy: string, batch: Reference) =>
  sha256Of(`policy ${policy} batch ${batch.sha256}`);

export async function trainOn(
  trainer: Trainer,
  batch: Reference,
  expectedStep: number,
): Promise<ResultOf<'trainStep'>> {
  return await trainer.call('trainStep', { batch, expectedStep, acrossSeam: false });
}

/**
 * Three steps from the base on: two on one rollout, by its own policy and by the next, and one on another rollout that
 * also refreshes the reference. They ask for a digest, a fingerprint and a digest.
 */
export async function logThreeSteps(
  trainer: Trainer,
): Promise<{ steps: LoggedStep[]; shards: SampledShard[] }> {
  const steps: LoggedStep[] = [];
  const shards: SampledShard[] = [];
  let policy = trainer.acquired.policy;
  let digest: string | null = trainer.acquired.digests.weights;
  let reference = trainer.acquired.digests.reference ?? assert.fail('expected a reference');
  const plan = [
    { seed: 1, old: 'own', checkAfter: 'digest' },
    { seed: null, old: 'logged', checkAfter: 'fingerprint' },
    { seed: 2, old: 'own', checkAfter: 'digest', refreshReference: { alpha: 0.5 } },
  ] as const;
  let sampledBy = policy;
  for (const [index, { seed, ...how }] of plan.entries()) {
    if (seed !== null) {
      shards.push(await sampledShard(trainer, policy, { step: index + 1, seed }));
      sampledBy = policy;
    }
    const { record, tensors } = batchOf(trainer, {
      ...how,
      shard: shards.at(-1) ?? assert.fail('no shard'),
      step: index + 1,
      policy: sampledBy,
      policyBefore: policy,
      digestBefore: digest,
      referenceDigest: reference,
    });
    const bytes = encode(record, tensors);
    check('batch', bytes);
    const batch = await putBatch(trainer, bytes, index + 1);
    const result = await trainOn(trainer, batch, index);
    steps.push({ batch, result, policyBefore: policy });
    policy = result.policy;
    digest = result.digestAfter;
    reference = result.referenceDigest ?? assert.fail('expected a reference');
  }
  return { steps, shards };
}

/**
 * Asserts that a batch gave the same again: the same bits where the numerics promise them, the same policy in any case.
 */
export function sameStep(
  trainer: Trainer,
  again: ResultOf<'trainStep'>,
  result: ResultOf<'trainStep'>,
): void {
  const named = ({ step, policy }: ResultOf<'trainStep'>) => ({ step, policy });
  const bits = ({ seconds: _, ...others }: ResultOf<'trainStep'>) => others;
  if (trainer.acquired.numerics.deterministic) assert.deepEqual(bits(again), bits(result));
  else assert.deepEqual(named(again), named(result));
}

/** Trains logged steps again. */
export async function replay(trainer: Trainer, steps: readonly LoggedStep[]): Promise<void> {
  for (const { batch, result } of steps) {
    sameStep(trainer, await trainOn(trainer, batch, result.step - 1), result);
  }
}

/** A supervised batch of two examples. */
export function supervisedBatchOf(session: Session, { step = 1, packing = false } = {}) {
  const promptsN = [promptTokens(session, 5, 0), promptTokens(session, 6, 1)];
  const completionsN = [promptTokens(session, 7, 2), promptTokens(session, 8, 4)];
  const record = {
    kind: 'supervised-batch',
    version: RECORD_VERSION,
    key: { run: 'contract', stage: 'cold-start', branch: 0, step },
    objective: 'sft',
    data: sha256Of('examples'),
    packing,
    numbers: { ...NUMBERS, adam_step: step },
    policyBefore: session.basePolicy,
    digestBefore: session.base.weightsDigest,
    cursorBefore: cursor(0),
    cursorAfter: cursor(2),
    checkAfter: 'digest',
  };
  const tokens = completionsN.flat();
  const tensors: Tensors = new Map([
    ['promptTokens', ints(promptsN.flat())],
    ['promptLengths', ints(promptsN.map(({ length }) => length))],
    ['completionTokens', ints(tokens)],
    ['completionLengths', ints(completionsN.map(({ length }) => length))],
    ['ordinals', ints([0, 1])],
    ['lossWeights', floats(completionsN.map(() => 1 / tokens.length))],
  ]);
  return { record, tensors, tokens: tokens.length };
}

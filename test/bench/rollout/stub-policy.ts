/**
 * What the stub trainer answers: made-up completions, log-probabilities, metrics and digests, all of them functions of
 * what was asked, in real records. Policies have their real ids.
 */
import { createHash } from 'node:crypto';
import { fetchFiles, readManifest } from '../../../activities/checkpoints/checkpoint-files.ts';
import { split } from '../../../activities/ragged.ts';
import { isReinforcement, readLoggedBatch } from '../../../activities/records/logged-batch.ts';
import { readSampleRequest } from '../../../activities/records/request.ts';
import { putLogprobs, putRollout, readRollout } from '../../../activities/records/rollout.ts';
import { policyAfter, policyOfWeights } from '../../../algorithm/run/policy-id.ts';
import { Failure } from '../../../contracts/failures.ts';
import type { Lease } from '../../../contracts/identity.ts';
import type { Numerics } from '../../../contracts/numerics.ts';
import type { Reference } from '../../../contracts/reference.ts';
import {
  CONTRACT_VERSION,
  type Heartbeat,
  type Manifest,
  type TrainingActivities,
  type TrainStepResult,
} from '../../../contracts/training.ts';
import { type Parsed, parseMessage } from '../../../contracts/training-messages.ts';
import { tokenizerOfTexts } from '../../../engine/tokenizer/tokenizer.ts';
import { keys } from '../../../stores/objects/keys.ts';
import type { ObjectStore } from '../../../stores/objects/objects.ts';
import { CompletionMaker, type Lengths, logprobsOf } from './completions.ts';

const NUMERICS: Numerics = {
  engine: 'stub',
  version: '1',
  device: 'none',
  instructionSet: 'none',
  threads: 1,
  computeDtype: 'float32',
  deterministic: true,
};
const version: typeof CONTRACT_VERSION = CONTRACT_VERSION;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The policy that the stub holds. */
interface Held {
  lease: Lease;
  queue: string;
  maker: CompletionMaker;
  vocabulary: number;
  endToken: number;
  manifest: Manifest;
  step: number;
  policy: string;
  /** of its weights */
  digest: string;
  reference: string | null;
  last: { batch: Reference; result: TrainStepResult } | null;
  /** the state of the checkpoint that was begun last */
  staged: { step: number; policy: string; digest: string; reference: string | null } | null;
  /** which completions of which rollout were trained on */
  trained: { rollout: string; sequences: Set<number> };
}

interface StubContext {
  objects: ObjectStore;
  lengths: Lengths;
  queueFor(lease: Lease): string;
  /** called after a lease is acquired, with its queue, or released (null) */
  onLease(queue: string | null): void;
  onProgress(moment: Pick<Heartbeat, 'phase' | 'step' | 'done' | 'of'>): void;
}

type Stub = Omit<TrainingActivities, 'score'>;

export function createStub({ objects, lengths, queueFor, onLease, onProgress }: StubContext): Stub {
  let held: Held | null = null;
  const policyOf = (lease: Lease, policy?: string): Held => {
    if (held === null || held.lease.term !== lease.term || held.lease.run !== lease.run)
      throw new Failure('TrainerLost', `expected the policy of term ${lease.term}, found another`);
    if (policy !== undefined && held.policy !== policy)
      throw new Failure('Contradiction', `expected the policy ${policy}, found ${held.policy}`);
    return held;
  };
  return {
    async acquire(message) {
      const input = parseMessage('acquire', 'input', message);
      held ??= await load(input);
      onLease(held.queue);
      const { queue, step, policy, digest, reference } = held;
      const digests = { weights: digest, moments: null, reference };
      return {
        version,
        queue,
        step,
        policy,
        digests,
        numerics: NUMERICS,
        samplerNumerics: NUMERICS,
        parameters: 1,
      };
    },

    async sample(message) {
      const began = performance.now();
      const input = parseMessage('sample', 'input', message);
      const { maker, policy, digest, step } = policyOf(input.lease, input.policy);
      const { request } = await readSampleRequest(objects, input.request);
      const made = request.seeds.map((seed, n) => {
        onProgress({ phase: 'sampling', step, done: n, of: request.seeds.length });
        const { problem = '' } = request.prompts[Math.floor(n / request.numGenerations)] ?? {};
        return maker.make(seed, problem, request.sampling.max_completion_length);
      });
      const header = { request: input.request, policy, policyDigest: digest, numerics: NUMERICS };
      const rollout = await putRollout(objects, keys.rollout(input.request), header, {
        completionsN: made.map(({ tokens }) => tokens),
        logprobsN: made.map(({ tokens }) => logprobsOf(tokens, 'sampler')),
        truncatedN: Int32Array.from(made, ({ truncated }) => (truncated ? 1 : 0)),
      });
      const tokens = made.reduce((sum, each) => sum + each.tokens.length, 0);
      return { version, rollout, completions: made.length, tokens, seconds: secondsSince(began) };
    },

    async logprobs(message) {
      const began = performance.now();
      const input = parseMessage('logprobs', 'input', message);
      const { policy, reference, step } = policyOf(input.lease, input.policy);
      const { completionsN } = await readRollout(objects, input.rollout);
      onProgress({ phase: 'log-probabilities', step, done: 0, of: completionsN.length });
      const computed = Object.fromEntries(
        input.of.map((column) => [column, completionsN.map((tokens) => logprobsOf(tokens, column))]),
      );
      const logprobs = await putLogprobs(
        objects,
        keys.logprobs(input.rollout),
        {
          rollout: input.rollout,
          temperature: input.temperature,
          policy,
          referenceDigest: reference,
          numerics: NUMERICS,
        },
        computed,
      );
      return { version, logprobs, seconds: secondsSince(began) };
    },

    async trainStep(message) {
      const began = performance.now();
      const input = parseMessage('trainStep', 'input', message);
      const policy = policyOf(input.lease);
      if (policy.last?.batch.sha256 === input.batch.sha256) return policy.last.result;
      if (policy.step !== input.expectedStep)
        throw new Failure('TrainerLost', `expected ${input.expectedStep} steps, found ${policy.step}`);
      onProgress({ phase: 'training', step: policy.step, done: 0, of: null });
      const { tokens, digest } = await checkBatch(input.batch, policy);
      const after = policyAfter(policy.policy, input.batch.sha256);
      const weights = hashOf(`weights of ${after}`);
      const result: TrainStepResult = {
        version,
        step: policy.step + 1,
        policy: after,
        digestBefore: policy.digest,
        digestAfter: digest ? weights : null,
        fingerprintAfter: null,
        referenceDigest: policy.reference,
        metrics: metricsOf(tokens),
        numerics: NUMERICS,
        seconds: secondsSince(began),
      };
      const last = { batch: input.batch, result };
      Object.assign(policy, { step: result.step, policy: after, digest: weights, last });
      return result;
    },

    async beginCheckpoint(message) {
      const input = parseMessage('beginCheckpoint', 'input', message);
      const current = policyOf(input.lease);
      const { step, policy, digest, reference } = current;
      current.staged = { step, policy, digest, reference };
      return { version, step, policy, bytes: 0, seconds: 0 };
    },

    async finishCheckpoint(message) {
      const began = performance.now();
      const { lease } = parseMessage('finishCheckpoint', 'input', message);
      const { manifest: before, staged } = policyOf(lease);
      if (staged === null) throw new Failure('TrainerLost', 'expected a staged checkpoint, found none');
      const { step, policy, digest, reference } = staged;
      const put = (name: string) =>
        objects.put(keys.checkpointFile(lease, step, name), encoder.encode(policy));
      const digests = { weights: digest, moments: hashOf(`moments of ${policy}`), reference };
      const manifest: Manifest = {
        ...{ kind: 'checkpoint', version, lease, step, policy, digests, numerics: NUMERICS },
        files: before.files,
        moments: await put('optimizer.safetensors'),
        reference:
          reference === null
            ? null
            : await objects.put(keys.referencePolicy(reference), encoder.encode(reference)),
      };
      const stored = await objects.put(keys.manifest(lease, step), encoder.encode(JSON.stringify(manifest)));
      const result = { version, manifest: stored, step, policy, digests, bytes: stored.bytes };
      return { ...result, seconds: secondsSince(began) };
    },

    async release(message) {
      const { lease } = parseMessage('release', 'input', message);
      policyOf(lease);
      held = null;
      onLease(null);
      return { version };
    },
  };

  async function load({ lease, checkpoint, withReference }: Parsed<'acquire', 'input'>): Promise<Held> {
    onProgress({ phase: 'loading', step: null, done: 0, of: null });
    const manifest = await readManifest(objects, checkpoint);
    const files = Object.entries(await fetchFiles(objects, manifest));
    const texts = files.filter(([name]) => !name.endsWith('.safetensors'));
    const tokenizer = tokenizerOfTexts(
      new Map(texts.map(([name, bytes]) => [name, decoder.decode(bytes)])),
      checkpoint.uri,
    );
    const { weights } = manifest.digests;
    return {
      ...{ lease, manifest, queue: queueFor(lease), maker: new CompletionMaker(tokenizer, lengths) },
      ...{ vocabulary: tokenizer.vocabSize, endToken: tokenizer.eosTokenId },
      ...{
        step: 0,
        policy: policyOfWeights(weights),
        digest: weights,
        reference: withReference ? weights : null,
      },
      ...{ last: null, staged: null, trained: { rollout: '', sequences: new Set() } },
    };
  }

  /** Every number of the batch is what the stub has answered before; no completion is in two batches of a rollout. */
  async function checkBatch(
    reference: Reference,
    policy: Held,
  ): Promise<{ tokens: number; digest: boolean }> {
    const batch = await readLoggedBatch(objects, reference);
    const expect = (found: unknown, expected: unknown, what: string) => {
      if (found === expected) return;
      throw new Failure('Contradiction', `${reference.uri}: expected ${what} ${expected}, found ${found}`);
    };
    if (!isReinforcement(batch)) throw new Failure('InvalidInput', `${reference.uri}: expected a batch`);
    const { record } = batch;
    expect(record.key.step, policy.step + 1, 'step');
    expect(record.policyBefore, policy.policy, 'policy before');
    expect(record.referenceDigest, policy.reference, 'reference digest');
    const lengths = batch.ints('completionLengths');
    const completions = split(batch.ints('completionTokens'), lengths);
    const columns = [
      ['samplerLogprobs', 'sampler'],
      ...(record.old === 'logged' ? ([['oldLogprobs', 'old']] as const) : []),
      ...(record.referenceDigest === null ? [] : ([['referenceLogprobs', 'reference']] as const)),
    ] as const;
    for (const [name, column] of columns) {
      const values = split(batch.floats(name), lengths);
      for (const [n, tokens] of completions.entries()) {
        const expected = logprobsOf(tokens, column);
        const found = values[n] ?? new Float32Array();
        if (!sameBytes(expected, found))
          expect(`other ones of sequence ${n}`, 'those that were answered', name);
      }
    }
    for (const [n, tokens] of completions.entries())
      expect(
        tokens.every((token) => token >= 0 && token < policy.vocabulary),
        true,
        `tokens of sequence ${n}:`,
      );
    for (const name of ['advantages', 'lossWeights'])
      expect(batch.floats(name).every(Number.isFinite), true, `finite ${name}:`);
    const rollout = JSON.stringify(record.rollout);
    if (policy.trained.rollout !== rollout) policy.trained = { rollout, sequences: new Set() };
    const { sequences } = policy.trained;
    for (const sequence of batch.ints('sequences')) {
      expect(sequences.has(sequence), false, `sequence ${sequence} in an earlier batch:`);
      sequences.add(sequence);
    }
    const tokens = lengths.reduce((sum, length) => sum + length, 0);
    return { tokens, digest: record.checkAfter !== 'none' };
  }
}

const sameBytes = (a: Float32Array, b: Float32Array) =>
  Buffer.from(a.buffer, a.byteOffset, a.byteLength).equals(Buffer.from(b.buffer, b.byteOffset, b.byteLength));

const hashOf = (text: string) => createHash('sha256').update(text).digest('hex');
const secondsSince = (began: number) => (performance.now() - began) / 1000;

const metricsOf = (tokensTrained: number): TrainStepResult['metrics'] => ({
  loss: 0.01,
  gradNorm: 0.2,
  entropy: 0.6,
  kl: 0.001,
  clipFraction: 0.01,
  samplerGap: null,
  tokensTrained,
  accuracy: null,
});

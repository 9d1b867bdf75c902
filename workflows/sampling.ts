import {
  ApplicationFailure,
  CancellationScope,
  defineQuery,
  defineSignal,
  setHandler,
  TemporalFailure,
} from '@temporalio/workflow';
import { Failure } from '../contracts/failures.ts';
import type { Reference } from '../contracts/reference.ts';
import type { SampledPart, SamplingInput, SamplingProgress } from '../contracts/sampling.ts';
import { type HeldTrainer, messages } from '../contracts/workflows.ts';
import { TrainerLost } from './errors.ts';
import { acquireUnder, callTrainer, policyOf, releaseTrainer, showLease } from './trainer.ts';

const progressQuery = defineQuery<SamplingProgress, [number]>(messages.progress);
const trainerLostSignal = defineSignal<[{ queue: string }]>(messages.trainerLost);

/** The work ends after this many consecutive lost trainers without a shard: the same cause would end the next one. */
const TRAINERS_IN_A_ROW = 5;

/**
 * Samples from a model outside of any run, shard by shard: no row is read or written. Each trainer that is lost is
 * replaced under a larger term; what it has sampled is kept.
 */
export async function sampleModel(input: SamplingInput): Promise<SampledPart[]> {
  const { key, checkpoint, requests } = input;
  const sampled: SampledPart[] = [];
  const lost = new Set<string>();
  let trainer: HeldTrainer | null = null;
  setHandler(trainerLostSignal, ({ queue }) => void lost.add(queue));
  setHandler(progressQuery, (from) => ({ leased: trainer !== null, sampled: sampled.slice(from) }));
  showLease(null);
  for (let [term, inARow] = [1, 0]; sampled.length < requests.length; term++) {
    const before = sampled.length;
    try {
      trainer = await acquireUnder({ ...key, branch: 0, term }, checkpoint, false);
      for (const request of requests.slice(before))
        sampled.push(await samplePart(trainer, lost, input, { request, shard: sampled.length + 1 }));
    } catch (error) {
      inARow = sampled.length > before ? 1 : inARow + 1;
      if (!(error instanceof TrainerLost) || inARow >= TRAINERS_IN_A_ROW) throw asFailure(error);
    } finally {
      const held = trainer;
      trainer = null;
      if (held !== null) await CancellationScope.nonCancellable(() => releaseTrainer(held, lost));
    }
  }
  return sampled;
}

async function samplePart(
  trainer: HeldTrainer,
  lost: ReadonlySet<string>,
  { requests, logprobsAt }: SamplingInput,
  { request, shard }: { request: Reference; shard: number },
): Promise<SampledPart> {
  const policy = policyOf(trainer);
  const what = `shard ${shard} of ${requests.length}`;
  const { rollout } = await callTrainer(trainer, lost, 'sample', `sample ${what}`, { request, policy });
  if (logprobsAt === null) return { rollout, logprobs: null };
  const asked = { rollout, temperature: logprobsAt, of: ['old' as const], policy };
  const { logprobs } = await callTrainer(trainer, lost, 'logprobs', `log-probabilities of ${what}`, asked);
  return { rollout, logprobs };
}

/** Other errors would only fail the workflow's task, which is repeated. */
function asFailure(error: unknown): unknown {
  if (error instanceof TemporalFailure || !(error instanceof Error)) return error;
  const kind = error instanceof Failure ? error.kind : error.name;
  return ApplicationFailure.nonRetryable(error.message, kind);
}

import { Failure } from '../../contracts/failures.ts';
import type { RolloutRecord } from '../../contracts/records.ts';
import type { SampleInput, SampleResult } from '../../contracts/training.ts';
import type { SampledArrays } from '../../engine/service/policy-service.ts';
import { keys } from '../../stores/objects/keys.ts';
import { putRecord, type Tensors } from '../../stores/objects/records.ts';
import { floats, ints, split } from '../ragged.ts';
import { readSampleRequest } from '../records.ts';
import { policyOf, refuseOtherPolicy, type TrainerContext } from './held-policy.ts';

/** Samples a whole request (rule 8) and writes the completions as they were sampled (rule 9). */
export function sample(context: TrainerContext, input: SampleInput): Promise<SampleResult> {
  return context.exclusive(async () => {
    const started = performance.now();
    const held = policyOf(context, input.lease);
    refuseOtherPolicy(held, input.expectedDigest);
    const request = await readSampleRequest(context.objects, input.request);
    const { numGenerations, seeds, sampling, eosTokenIds } = request.record;
    const promptsP = split(request.ints('promptTokens'), request.ints('promptLengths'));
    const prompts = seeds.map((_, n) => promptsP[Math.floor(n / numGenerations)] ?? missingPrompt(n));
    context.engine.stopSampling(false);
    watchHalf(context, held.step + 1, seeds.length);
    const sampled = await context.engine.call('sample', { prompts, seeds, sampling, eosTokenIds });
    const record: RolloutRecord = {
      kind: 'rollout',
      request: input.request,
      policyDigest: input.expectedDigest,
      numerics: held.numerics,
    };
    const rollout = await putRecord(
      context.objects,
      keys.rollout(input.request, input.lease),
      record,
      tensorsOf(sampled),
    );
    return {
      rollout,
      completions: seeds.length,
      tokens: sampled.completions.flat.length,
      seconds: (performance.now() - started) / 1000,
    };
  });
}

/** `step`: the step that will train on the samples. */
function watchHalf({ failpoints, engine }: TrainerContext, step: number, sequences: number): void {
  if (!failpoints.armed('sampling', step)) return;
  engine.holdSampling(Math.ceil(sequences / 2), () => failpoints.reached('sampling', step));
}

function missingPrompt(sequence: number): never {
  throw new Failure(
    'CorruptObject',
    `sample request: expected a prompt for sequence ${sequence}, found none`,
  );
}

function tensorsOf({ completions, logprobsT, truncatedN }: SampledArrays): Tensors {
  return new Map([
    ['completionTokens', ints(completions.flat)],
    ['completionLengths', ints(completions.lengths)],
    ['logprobs', floats(logprobsT)],
    ['truncated', ints(truncatedN)],
  ]);
}

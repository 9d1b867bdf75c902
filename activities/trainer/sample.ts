import { Failure } from '../../contracts/failures.ts';
import { CONTRACT_VERSION, type SampleInput, type SampleResult } from '../../contracts/training.ts';
import { keys } from '../../stores/objects/keys.ts';
import { split } from '../ragged.ts';
import { readSampleRequest } from '../records/request.ts';
import { putRollout, type RolloutHeader } from '../records/rollout.ts';
import { policyOf, refuseOtherPolicy, type TrainerContext } from './held-policy.ts';

/** Samples a whole request (rule 8) and writes the completions as they were sampled (rule 9). */
export function sample(context: TrainerContext, input: SampleInput): Promise<SampleResult> {
  return context.exclusive(async () => {
    const started = performance.now();
    const held = policyOf(context, input.lease);
    refuseOtherPolicy(held, input.policy);
    const { request, promptsP } = await readSampleRequest(context.objects, input.request);
    const { numGenerations, seeds, sampling, eosTokenIds } = request;
    const prompts = seeds.map((_, n) => promptsP[Math.floor(n / numGenerations)] ?? missingPrompt(n));
    context.engine.stopSampling(false);
    watchHalf(context, held.step + 1, seeds.length);
    const sampled = await context.engine.call('sample', { prompts, seeds, sampling, eosTokenIds });
    const header: RolloutHeader & { policy: string } = {
      request: input.request,
      policy: held.policy,
      policyDigest: held.digest,
      numerics: held.samplerNumerics,
    };
    const { completions, logprobsT, truncatedN } = sampled;
    const rollout = await putRollout(context.objects, keys.rollout(input.request), header, {
      completionsN: split(completions.flat, completions.lengths),
      logprobsN: split(logprobsT, completions.lengths),
      truncatedN,
    });
    return {
      version: CONTRACT_VERSION,
      rollout,
      completions: seeds.length,
      tokens: completions.flat.length,
      seconds: (performance.now() - started) / 1000,
    };
  });
}

/** `step`: the step that will train on the samples. */
function watchHalf({ failpoints, engine }: TrainerContext, step: number, sequences: number): void {
  if (!failpoints.armed('sampling', step)) return;
  engine.holdSampling(Math.ceil(sequences / 2), () => failpoints.reached('sampling', step) !== 'freeze');
}

function missingPrompt(sequence: number): never {
  throw new Failure(
    'CorruptObject',
    `sample request: expected a prompt for sequence ${sequence}, found none`,
  );
}

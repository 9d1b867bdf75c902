import type { LogprobsRecord } from '../../contracts/records.ts';
import type { LogprobsInput, LogprobsResult } from '../../contracts/training.ts';
import { keys } from '../../stores/objects/keys.ts';
import { putRecord, type Tensors } from '../../stores/objects/records.ts';
import { floats, split } from '../ragged.ts';
import { readRollout, readSampleRequest } from '../records.ts';
import { policyOf, refuseOtherPolicy, type TrainerContext } from './held-policy.ts';

const whose = { old: 'policy', reference: 'reference' } as const;

/** Log-probabilities of a rollout's completions under the current policy ("old") and under the reference. */
export function logprobs(context: TrainerContext, input: LogprobsInput): Promise<LogprobsResult> {
  return context.exclusive(async () => {
    const started = performance.now();
    const held = policyOf(context, input.lease);
    refuseOtherPolicy(held, input.expectedDigest);
    const rollout = await readRollout(context.objects, input.rollout);
    const request = await readSampleRequest(context.objects, rollout.record.request);
    const promptsP = split(request.ints('promptTokens'), request.ints('promptLengths'));
    const completionsN = split(rollout.ints('completionTokens'), rollout.ints('completionLengths'));
    const { numGenerations } = request.record;
    const promptsN = completionsN.map((_, n) => promptsP[Math.floor(n / numGenerations)] ?? new Int32Array());
    const tensors: Tensors = new Map();
    for (const name of input.of) {
      const data = await context.engine.call(
        'logprobs',
        { promptsN, completionsN },
        input.temperature,
        whose[name],
      );
      tensors.set(name, floats(data));
    }
    const record: LogprobsRecord = {
      kind: 'logprobs',
      rollout: input.rollout,
      temperature: input.temperature,
      policyDigest: input.expectedDigest,
      referenceDigest: held.referenceDigest,
      numerics: held.numerics,
    };
    const reference = await putRecord(
      context.objects,
      keys.logprobs(input.rollout, input.lease),
      record,
      tensors,
    );
    return { logprobs: reference, seconds: (performance.now() - started) / 1000 };
  });
}

import { type LogprobsRecord, RECORD_VERSION } from '../../contracts/records/schemas.ts';
import { CONTRACT_VERSION, type LogprobsInput, type LogprobsResult } from '../../contracts/training.ts';
import { keys } from '../../stores/objects/keys.ts';
import { split } from '../ragged.ts';
import { readSampleRequest } from '../records/request.ts';
import { type ComputedLogprobs, putLogprobs, readRollout } from '../records/rollout.ts';
import { policyOf, refuseOtherPolicy, type TrainerContext } from './held-policy.ts';

const whose = { old: 'policy', reference: 'reference' } as const;

/**
 * Log-probabilities of a shard's completions under the current policy ("old") and under the reference; of some groups
 * alone where the call names them.
 */
export function logprobs(context: TrainerContext, input: LogprobsInput): Promise<LogprobsResult> {
  return context.exclusive(async () => {
    const started = performance.now();
    const held = policyOf(context, input.lease);
    refuseOtherPolicy(held, input.policy);
    const { record: rollout, completionsN, lengthsN } = await readRollout(context.objects, input.rollout);
    const { request, promptsP } = await readSampleRequest(context.objects, rollout.request);
    const groupOf = (n: number) => Math.floor(n / request.numGenerations);
    const groups = input.groups === undefined ? null : new Set(input.groups);
    const wantedM = [...completionsN.keys()].filter((n) => groups?.has(groupOf(n)) ?? true);
    const arrays = {
      promptsN: wantedM.map((n) => promptsP[groupOf(n)] ?? new Int32Array()),
      completionsN: wantedM.map((n) => completionsN[n] ?? new Int32Array()),
    };
    const computed: ComputedLogprobs = {};
    for (const name of input.of) {
      const flat = await context.engine.call('logprobs', arrays, input.temperature, whose[name]);
      const foundM = split(
        flat,
        Int32Array.from(wantedM, (n) => lengthsN[n] ?? 0),
      );
      const columnN: Float32Array[] = Array.from(lengthsN, (length) => new Float32Array(length));
      for (const [m, n] of wantedM.entries()) columnN[n] = foundM[m] ?? new Float32Array();
      computed[name] = columnN;
    }
    const record: LogprobsRecord = {
      kind: 'logprobs',
      version: RECORD_VERSION,
      rollout: input.rollout,
      temperature: input.temperature,
      policy: held.policy,
      referenceDigest: held.referenceDigest,
      numerics: held.numerics,
    };
    const key = keys.logprobs(input.rollout);
    return {
      version: CONTRACT_VERSION,
      logprobs: await putLogprobs(context.objects, key, record, computed),
      seconds: (performance.now() - started) / 1000,
    };
  });
}

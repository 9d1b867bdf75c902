/** One supervised step of the loaded model; an objective that does not fit its kind is refused. */
import { ModelConfigError } from '../model/model-config.ts';
import type { Policy } from './policy.ts';
import type { PreferenceObjective } from './preferences.ts';
import type { RewardModel } from './reward-model.ts';
import type { UpdateOptions } from './train-batch.ts';

/** N = sequences. */
export interface SupervisedArrays {
  /**
   * `sft` trains a policy towards the completions. `pairwise` and `pointwise` train a reward model on whole
   * sequences, prompt and completion: on pairs (2i the chosen and 2i + 1 the rejected one), or on labels.
   */
  objective: 'sft' | PreferenceObjective;
  promptsN: Int32Array[];
  completionsN: Int32Array[];
  /** Of each completion token (`sft`), of each pair (that of sequence 2i), of each labelled sequence. */
  lossWeightsN: Float32Array;
  /** `pointwise`: 1 good, 0 not; null otherwise */
  labelsN: Float32Array | null;
  /** several sequences per row; only for `sft` */
  packing: boolean;
  numbers: Omit<UpdateOptions, 'step'> & { adam_step: number };
  digestAfter: boolean;
}

/** The metrics of a policy-gradient step; null: not defined for this step. */
export interface SupervisedMetrics {
  /** −Σ w·l */
  loss: number;
  /** before clipping */
  gradNorm: number;
  /** mean entropy per completion token, in nats; null for a reward model */
  entropy: number | null;
  kl: null;
  clipFraction: null;
  samplerGap: null;
  /** completion tokens of a policy, all tokens of a reward model */
  tokensTrained: number;
  /** share of pairs ranked or labels predicted correctly before the update; null for `sft` */
  accuracy: number | null;
}

export type LoadedModel = { kind: 'policy'; policy: Policy } | { kind: 'reward-model'; model: RewardModel };

export function supervisedStep(loaded: LoadedModel, arrays: SupervisedArrays): SupervisedMetrics {
  const { objective } = arrays;
  if (objective === 'sft' && loaded.kind === 'policy') return imitationStep(loaded.policy, arrays);
  if (objective !== 'sft' && loaded.kind === 'reward-model')
    return preferenceStep(loaded.model, arrays, objective);
  throw new ModelConfigError(
    `objective ${objective}: expected a ${objective === 'sft' ? 'policy' : 'reward model'}, found a ${loaded.kind}: ` +
      'start the stage from a checkpoint of that kind',
  );
}

const none = { kl: null, clipFraction: null, samplerGap: null } as const;

function imitationStep(policy: Policy, arrays: SupervisedArrays): SupervisedMetrics {
  const { promptsN, completionsN, lossWeightsN, numbers, packing } = arrays;
  const result = policy.sftStep({
    sequences: completionsN.map((completionTokens, n) => ({
      promptTokens: promptsN[n] ?? new Int32Array(),
      completionTokens,
    })),
    tokenWeights: completionsN.map(({ length }, n) => new Float32Array(length).fill(lossWeightsN[n] ?? 0)),
    options: { ...numbers, step: numbers.adam_step },
    packing,
  });
  const { loss, gradNorm, entropy, tokens } = result;
  return { ...none, loss, gradNorm, entropy, tokensTrained: tokens, accuracy: null };
}

function preferenceStep(
  model: RewardModel,
  { promptsN, completionsN, lossWeightsN, labelsN, numbers }: SupervisedArrays,
  objective: PreferenceObjective,
): SupervisedMetrics {
  const { loss, gradNorm, accuracy, tokens } = model.step({
    objective,
    sequencesN: completionsN.map((completion, n) => Int32Array.of(...(promptsN[n] ?? []), ...completion)),
    labelsN,
    lossWeightsN,
    options: { ...numbers, step: numbers.adam_step },
  });
  return { ...none, loss, gradNorm, entropy: null, tokensTrained: tokens, accuracy };
}

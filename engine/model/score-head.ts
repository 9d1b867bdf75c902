/** A scalar head in the place of a language model's output projection: how a reward model begins. */

import type { StoredTensors } from '../weights/safetensors.ts';
import { isRewardModel, type ModelConfig, rewardArchitecture, WEIGHT } from './architecture.ts';
import { initialTensor } from './initial-weights.ts';
import { ModelConfigError } from './model-config.ts';

export interface Model {
  config: ModelConfig;
  weights: StoredTensors;
}

/**
 * The model with `score.weight` [1, H] drawn from N(0, `initializer_range`²), and without its output projection,
 * as transformers' `LlamaForSequenceClassification` makes one of a causal model. Where the configuration names no
 * padding, the (first) end token pads. Throws ModelConfigError for a model that has a scalar head already.
 */
export function withScoreHead({ config, weights }: Model, seed: bigint): Model {
  if (isRewardModel(config)) {
    throw new ModelConfigError(`expected a language model, found the reward model "${config.architecture}"`);
  }
  const pad_token_id = config.pad_token_id ?? [config.eos_token_id].flat()[0] ?? null;
  if (pad_token_id === null) {
    throw new ModelConfigError(
      'config.json: pad_token_id: expected a token that pads (or eos_token_id), found neither. Add it to the model.',
    );
  }
  const score = initialTensor(WEIGHT.score, [1, config.hidden_size], config, seed);
  const kept = [...weights].filter(([name]) => name !== WEIGHT.outputProjection);
  return {
    config: { ...config, architecture: rewardArchitecture(config.architecture), pad_token_id },
    weights: new Map([...kept, [WEIGHT.score, score]]),
  };
}

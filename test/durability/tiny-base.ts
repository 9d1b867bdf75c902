import { join } from 'node:path';
import { pretrainSchema } from '../../contracts/pretrain.ts';
import { nanoModelConfig, nanoSequence, nanoTokenizer, writeNanoBase } from '../../engine/model/nano-base.ts';
import { openRuntime } from '../../engine/runtime/runtime.ts';
import { pretrain } from '../../engine/train/pretrain.ts';

/**
 * A base of some twenty thousand parameters, trained for seconds: it guesses sums of two numbers, in form nearly always
 * and right so often that most groups are neither all right nor all wrong.
 */
const options = pretrainSchema.parse({
  seed: 0,
  architecture: {
    num_hidden_layers: 2,
    hidden_size: 32,
    intermediate_size: 64,
    num_attention_heads: 2,
    num_key_value_heads: 1,
    head_dim: 16,
    max_position_embeddings: 64,
  },
  mixture: {
    terms: 2,
    limit: 6,
    general: 0,
    distracted: 0,
    guesses: 1,
    worked: 0,
    guess_range: 1,
    malformed: 0.05,
    home: 1,
    foreign: 0,
    home_slips: 0,
    foreign_slips: 0,
    recheck: 0,
    slip_range: 1,
  },
  optimiser: { learning_rate: 1e-2, warmup_steps: 5, adam_beta2: 0.95 },
  max_steps: 120,
  batch_size: 32,
});

/** Writes the base as a Hugging Face folder and returns its path. */
export async function writeTinyBase(folder: string): Promise<string> {
  const config = nanoModelConfig(options.architecture);
  const tokenizer = nanoTokenizer(config);
  const made = await pretrain({
    runtime: openRuntime({ threads: 1 }),
    config,
    options,
    sequenceOf: (example) => nanoSequence(tokenizer, example),
  });
  const path = join(folder, 'tiny-base');
  await writeNanoBase(path, config, made);
  return path;
}

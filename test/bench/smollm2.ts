/**
 * Speed and memory of training at the shape of a small real model: SmolLM2-135M, 32 completions of 64 tokens on prompts
 * of 50, KL to a reference. The weights are made up; speed and memory do not depend on their values.
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

/** `config.json` of HuggingFaceTB/SmolLM2-135M, as far as it is read. */
export const SMOLLM2 = {
  model_type: 'llama',
  vocab_size: 49152,
  hidden_size: 576,
  intermediate_size: 1536,
  num_hidden_layers: 30,
  num_attention_heads: 9,
  num_key_value_heads: 3,
  max_position_embeddings: 8192,
  rope_theta: 100_000,
  rms_norm_eps: 1e-5,
  tie_word_embeddings: true,
  eos_token_id: 0,
};
export const SMOLLM2_SHAPE = { sequences: 32, prompt: 50, completion: 64 };

const figuresSchema = z.strictObject({
  samplingSeconds: z.number().positive(),
  stepSeconds: z.number().positive(),
  /** of the process, while it samples and trains */
  peakBytes: z.number().positive(),
  /** the same, with a checkpoint's copy in memory */
  peakWithCheckpointBytes: z.number().positive(),
});
export type TrainerFigures = z.infer<typeof figuresSchema>;

/** In a process of its own: its peak of memory is that of a trainer alone. */
export function trainerFigures(threads: number): TrainerFigures {
  const script = fileURLToPath(new URL('./smollm2-trainer.ts', import.meta.url));
  const output = execFileSync(process.execPath, ['--import', 'tsx', script, String(threads)], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return figuresSchema.parse(JSON.parse(output));
}

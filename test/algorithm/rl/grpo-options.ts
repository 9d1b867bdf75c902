import { type GrpoOptions, grpoSchema } from '../../../contracts/options.ts';

/** A stage's options with every default, and what a test wants otherwise. */
export function grpoOptions(options: Partial<GrpoOptions> = {}): GrpoOptions {
  return grpoSchema.parse({
    learning_rate: 1e-4,
    max_steps: 100,
    prompts_per_step: 16,
    max_completion_length: 110,
    ...options,
  });
}

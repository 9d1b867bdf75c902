import { z } from 'zod';
import { evaluationSchema, grpoSchema } from './options.ts';
import { nameSchema } from './reference.ts';

/** A stage that trains by reinforcement (GRPO). */
export const reinforcementStageSchema = z.strictObject({
  stage: z.literal('zero'),
  algorithm: z.literal('grpo'),
  options: grpoSchema,
});

export const stageSchema = z.discriminatedUnion('algorithm', [reinforcementStageSchema]);
export type StageRecipe = z.infer<typeof stageSchema>;

/** Puzzles that ship with the project; each names the verifier of its answers too. */
export const puzzleNames = [
  'knights-knaves',
  'countdown',
  'puzzle24',
  'caesar-cipher',
  'zebra',
  'output-prediction',
] as const;
export type PuzzleName = (typeof puzzleNames)[number];

/** Where prompts come from: a JSONL file, what `r1 import` kept, or a generator that ships with the project. */
export const promptSourceSchema = z.discriminatedUnion('source', [
  z.strictObject({
    source: z.literal('jsonl'),
    /** relative to the recipe's own folder */
    path: z.string().min(1),
    /** left out: the same file's rows with `split: test` */
    evaluation_path: z.string().min(1).optional(),
  }),
  /** what the name means when the run is launched */
  z.strictObject({ source: z.literal('imported'), name: nameSchema }),
  /** logic puzzles made from a seed; no held-out one is trained on, whatever seed and difficulty */
  z.strictObject({
    source: z.literal('puzzles'),
    puzzle: z.enum(puzzleNames),
    difficulty: z.literal([1, 2, 3, 4, 5]).default(1),
    train: z.int().positive(),
    test: z.int().positive(),
    seed: z.int().nonnegative().default(0),
  }),
  z.strictObject({
    source: z.literal('nano-sums'),
    terms: z.int().min(2).max(8).default(4),
    /** operands are below this */
    limit: z.int().min(2).max(100).default(20),
    train: z.int().positive(),
    test: z.int().positive(),
    seed: z.int().nonnegative().default(0),
  }),
]);
export type PromptSource = z.infer<typeof promptSourceSchema>;

/** A run's configuration as a person writes it (YAML). Unknown keys are refused. */
export const recipeSchema = z.strictObject({
  name: nameSchema,
  description: z.string().default(''),
  seed: z.int().nonnegative(),
  /** a Hugging Face folder, relative to the recipe's own folder, or the URI of a checkpoint in S3 */
  base: z.string().min(1),
  prompts: promptSourceSchema,
  /** how a problem becomes a prompt: the tokenizer's chat template, or the text as it is */
  prompt_format: z.enum(['chat', 'text']).default('chat'),
  evaluation: evaluationSchema,
  stages: z.array(stageSchema).min(1),
});
export type Recipe = z.infer<typeof recipeSchema>;

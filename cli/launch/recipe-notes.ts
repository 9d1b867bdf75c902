/** What is right as a recipe has it and still worth knowing before a run of it begins. */
import type { PromptSource, Recipe } from '../../contracts/recipe.ts';

export function notesOnRecipe({ stages }: Recipe): string[] {
  return stages.flatMap(({ stage, algorithm, options }) =>
    algorithm === 'grpo' ? notesOnClipping(options).map((note) => `${stage}: ${note}`) : [],
  );
}

/** A ratio is positive: from 1 on its lower bound, 1 − epsilon, bounds nothing. */
export function notesOnClipping({ epsilon }: { epsilon: number }): string[] {
  if (epsilon < 1) return [];
  return [
    `epsilon ${epsilon}: no ratio is clipped from below, as 1 − epsilon is ${1 - epsilon} and ratios are positive. The paper has 10 ` +
      'after the cold start.',
  ];
}

/** Rows from which on making them takes more than a moment. */
const MANY = 10_000;

/** What a person waits for before anything else is said. */
export function waitText({
  prompts,
  general_prompts,
}: Pick<Recipe, 'prompts' | 'general_prompts'>): string[] {
  return [prompts, ...(general_prompts === undefined ? [] : [general_prompts])].flatMap((source) => {
    const rows = rowsMade(source);
    return rows < MANY ? [] : [`Making ${rows} prompts (${source.source}) …`];
  });
}

const rowsMade = (source: PromptSource) => ('train' in source ? source.train + source.test : 0);

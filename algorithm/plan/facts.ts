/** What the size of a run is reckoned from, beside its recipe. */
import type { Recipe } from '../../contracts/recipe.ts';

export interface RunFacts {
  recipe: Recipe;
  /** weights of the model that a stage trains; 0 where nobody knows */
  parametersOf(stage: string): number;
  /** tokens of a response in the mean; null: not given, and each is taken to be as long as it may be */
  meanLength(stage: string): number | null;
  /** tokens of a prompt in the mean, as a policy reads it */
  promptTokens: number;
  /** held-out problems of general domains */
  generalHeldOut: number;
  /** stage → examples that are given to it, not sampled */
  givenExamples: Readonly<Record<string, number>>;
}

/** Tokens of so many responses of a stage, none longer than `limit`. */
export const responseTokens = (
  { meanLength }: RunFacts,
  stage: string,
  { responses, limit }: { responses: number; limit: number },
): number => responses * Math.min(meanLength(stage) ?? limit, limit);

import type { EvaluationOptions } from '../../contracts/options.ts';
import type { RewardRecipe } from '../../contracts/rewards.ts';

/** The rewards that score an evaluation's answers: language only where the recipe names one. */
export function measuredRewards(language: EvaluationOptions['language']): RewardRecipe[] {
  const always: RewardRecipe[] = [
    { name: 'accuracy', weight: 1 },
    { name: 'format', weight: 1 },
  ];
  return language === undefined ? always : [...always, { name: 'language', weight: 1, options: language }];
}

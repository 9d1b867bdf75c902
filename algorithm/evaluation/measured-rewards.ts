import type { EvaluationOptions } from '../../contracts/options.ts';
import type { RewardRecipe } from '../../contracts/rewards.ts';

/** What an evaluation asks of each answer: language only where one is named. */
export function measuredRewards(language: EvaluationOptions['language']): RewardRecipe[] {
  const always: RewardRecipe[] = [
    { name: 'accuracy', weight: 1 },
    { name: 'format', weight: 1 },
  ];
  return language === undefined ? always : [...always, { name: 'language', weight: 1, options: language }];
}

import type { GrpoOptions } from '../contracts/options.ts';
import { accuracy } from './accuracy.ts';
import { format } from './format.ts';
import type { Reward } from './reward.ts';

export type RewardName = GrpoOptions['rewards'][number]['name'];

/** Every reward that a recipe can name. */
export const rewards: Record<RewardName, Reward> = { accuracy, format };

import type { JudgedFor } from '../../algorithm/data/scored-text.ts';
import type { TextPlan } from '../../contracts/plan.ts';
import type { Verdict } from '../../contracts/records.ts';
import type { Reference } from '../../contracts/reference.ts';
import { rewardModelTokens, wholeSequence } from '../orchestrator/examples/reward-model-tokens.ts';
import type { RewardModels } from './reward-models.ts';

/** Version of the mapping from a model's number to a score. A verdict depends on it and on the model. */
export const MODEL_REWARD_VERSION = 1;

export interface TrainedReward {
  name: JudgedFor;
  /** the reward model's checkpoint */
  manifest: Reference;
}

export interface Answer {
  problem: string;
  /** the response as text */
  completionText: string;
}

/** r → score. */
const SCORES: Record<JudgedFor, (r: number) => number> = {
  // Bradley–Terry determines r up to a constant: only differences count, and subtracting a group's mean removes it.
  helpfulness: (r) => r,
  // P(safe) = σ(r)
  safety: (r) => 1 / (1 + Math.exp(-r)),
};

/** A trained model's verdict on each answer, in order. An answer that is too long for the model is an error, not a 0. */
export async function modelVerdicts(
  models: RewardModels,
  { name, manifest }: TrainedReward,
  plan: TextPlan,
  answers: readonly Answer[],
): Promise<Verdict[]> {
  const tokenizer = await models.tokenizer(manifest, plan);
  const sequencesN = answers.map(({ problem, completionText: response }) =>
    wholeSequence(rewardModelTokens(tokenizer, plan.promptFormat, { judgedFor: name, problem, response })),
  );
  const scores = await models.score(manifest, sequencesN);
  return scores.map((r, n) =>
    r === null ? tooLong(name, sequencesN[n]?.length ?? 0) : { score: SCORES[name](r) },
  );
}

const tooLong = (name: string, length: number): Verdict => ({
  error: {
    kind: 'too-long',
    message: `${name}: expected at most the positions of the reward model, found ${length} tokens`,
  },
});

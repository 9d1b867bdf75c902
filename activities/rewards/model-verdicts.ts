import type { JudgedFor } from '../../algorithm/data/scored-text.ts';
import type { TextPlan } from '../../contracts/plan.ts';
import type { Verdict } from '../../contracts/records/schemas.ts';
import type { Reference } from '../../contracts/reference.ts';
import type { Tokenizer } from '../../engine/tokenizer/tokenizer.ts';
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

/** What a reward model reads of each answer. */
export const judgedSequences = (
  tokenizer: Tokenizer,
  { promptFormat }: Pick<TextPlan, 'promptFormat'>,
  judgedFor: JudgedFor,
  answers: readonly Answer[],
): Int32Array[] =>
  answers.map(({ problem, completionText: response }) =>
    wholeSequence(rewardModelTokens(tokenizer, promptFormat, { judgedFor, problem, response })),
  );

/** The verdicts of what a model has scored. A sequence that is too long for the model is an error, not a 0. */
export const verdictsByModel = (
  name: JudgedFor,
  scoresN: readonly (number | null)[],
  lengthOf: (n: number) => number,
): Verdict[] => scoresN.map((r, n) => (r === null ? tooLong(name, lengthOf(n)) : { score: SCORES[name](r) }));

const tooLong = (name: string, length: number): Verdict => ({
  error: {
    kind: 'too-long',
    message: `${name}: expected at most the positions of the reward model, found ${length} tokens`,
  },
});

/** A trained model's verdict on each answer, in order, by the embedded engine. */
export async function modelVerdicts(
  models: RewardModels,
  { name, manifest }: TrainedReward,
  plan: TextPlan,
  answers: readonly Answer[],
): Promise<Verdict[]> {
  const sequencesN = judgedSequences(await models.tokenizer(manifest, plan), plan, name, answers);
  const { scoresN } = await models.score(manifest, sequencesN);
  return verdictsByModel(name, scoresN, (n) => sequencesN[n]?.length ?? 0);
}

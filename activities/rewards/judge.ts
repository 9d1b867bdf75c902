import { setImmediate } from 'node:timers/promises';
import { concerns } from '../../algorithm/rl/reward-plan.ts';
import { Failure } from '../../contracts/failures.ts';
import type { JudgedReward, Verdict } from '../../contracts/records/schemas.ts';
import { isModelReward, type RewardRecipe } from '../../contracts/rewards.ts';
import { makeReward } from '../../rewards/index.ts';
import type { Reward, RewardInput } from '../../rewards/reward.ts';
import type { RewardTools } from '../../rewards/tools.ts';

/** How long verifiers may block the event loop, and with it heartbeats, in milliseconds. */
const TURN_MS = 50;

/**
 * The verdicts of every reward on every completion. Throws the first failure once all have ended, or the signal's reason
 * where the signal aborts the work.
 */
export async function judge(
  recipes: readonly RewardRecipe[],
  inputs: readonly RewardInput[],
  tools: RewardTools,
  signal?: AbortSignal,
): Promise<JudgedReward[]> {
  const judged: JudgedReward[] = [];
  for (const recipe of recipes) {
    const reward = ruleOf(recipe, tools);
    const concerned = inputs.filter(({ domain }) => concerns(recipe, domain));
    const verdicts = (await verdictsOf(reward, concerned, signal)).values();
    judged.push({
      name: reward.name,
      version: reward.version,
      verdicts: inputs.map(({ domain }) =>
        concerns(recipe, domain) ? (verdicts.next().value ?? absent) : absent,
      ),
    });
  }
  return judged;
}

const absent: Verdict = { score: 0, absent: true };

function ruleOf({ name, options }: RewardRecipe, tools: RewardTools): Reward {
  if (!isModelReward(name)) return makeReward({ name, options }, tools);
  throw new Failure(
    'InvalidInput',
    `reward ${name}: expected a reward by rule, found one of a trained model`,
  );
}

/** Starts all verdicts at once; the reward itself limits how many run at a time. */
async function verdictsOf(
  reward: Reward,
  inputs: readonly RewardInput[],
  signal: AbortSignal | undefined,
): Promise<Verdict[]> {
  const pending: Promise<PromiseSettledResult<Verdict>>[] = [];
  let turn = performance.now();
  for (const input of inputs) {
    if (signal?.aborted) break;
    pending.push(settled(reward.score(input)));
    if (performance.now() - turn < TURN_MS) continue;
    await setImmediate();
    turn = performance.now();
  }
  const outcomes = await Promise.all(pending);
  signal?.throwIfAborted();
  return outcomes.map((outcome) => {
    if (outcome.status === 'fulfilled') return outcome.value;
    throw outcome.reason;
  });
}

/** A rejection as a value: it is not reported as unhandled while others are pending. */
async function settled<T>(promise: Promise<T>): Promise<PromiseSettledResult<T>> {
  const [outcome] = await Promise.allSettled([promise]);
  return outcome;
}

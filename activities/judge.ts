import { setImmediate } from 'node:timers/promises';
import type { ScoresRecord, Verdict } from '../contracts/records.ts';
import type { Reward, RewardInput } from '../rewards/reward.ts';

export type Judged = ScoresRecord['rewards'][number];

/** How long verifiers may hold the loop that heartbeats, in milliseconds. */
const TURN_MS = 50;

/** The verdicts of every reward on every completion. Throws the first failure, once all have ended. */
export async function judge(rewards: readonly Reward[], inputs: readonly RewardInput[]): Promise<Judged[]> {
  const judged: Judged[] = [];
  for (const reward of rewards) {
    judged.push({ name: reward.name, version: reward.version, verdicts: await verdictsOf(reward, inputs) });
  }
  return judged;
}

/** All are under way at once; the reward itself bounds what runs at a time. */
async function verdictsOf(reward: Reward, inputs: readonly RewardInput[]): Promise<Verdict[]> {
  const underWay: Promise<PromiseSettledResult<Verdict>>[] = [];
  let turn = performance.now();
  for (const input of inputs) {
    underWay.push(settled(reward.score(input)));
    if (performance.now() - turn < TURN_MS) continue;
    await setImmediate();
    turn = performance.now();
  }
  const outcomes = await Promise.all(underWay);
  return outcomes.map((outcome) => {
    if (outcome.status === 'fulfilled') return outcome.value;
    throw outcome.reason;
  });
}

/** A rejection that is kept until it is asked for. */
async function settled<T>(promise: Promise<T>): Promise<PromiseSettledResult<T>> {
  const [outcome] = await Promise.allSettled([promise]);
  return outcome;
}

import { judge } from '../../activities/rewards/judge.ts';
import { mean } from '../../algorithm/rl/sample-statistics.ts';
import type { JudgedReward } from '../../contracts/records/schemas.ts';
import type { RewardTools } from '../../rewards/tools.ts';
import type { ScoreResponse, ScoreTask } from './score-request.ts';

/** Scores a batch. Throws a Failure where a retry, or another machine, may give a verdict. */
export async function score(
  { inputs, rewards, onError }: ScoreTask,
  tools: RewardTools,
  signal?: AbortSignal,
): Promise<ScoreResponse> {
  const judged = await judge(rewards, inputs, tools, signal);
  const parts = judged.map(({ verdicts }) =>
    verdicts.map((verdict) => ('score' in verdict ? verdict.score : null)),
  );
  const totals = inputs.map((_, n) => weightedSum(parts, rewards, n) ?? onError);
  return {
    rewards: totals,
    scores: totals,
    parts: Object.fromEntries(judged.map(({ name }, k) => [name, parts[k] ?? []])),
    errors: judged.flatMap(errorsOf),
    extra_logs: Object.fromEntries(judged.map(({ name }, k) => [name, meanOf(parts[k] ?? [])])),
  };
}

/** Null where one of them has no verdict. */
function weightedSum(
  parts: readonly (readonly (number | null)[])[],
  rewards: ScoreTask['rewards'],
  n: number,
): number | null {
  let sum = 0;
  for (const [k, { weight }] of rewards.entries()) {
    const part = parts[k]?.[n] ?? null;
    if (part === null) return null;
    sum += weight * part;
  }
  return sum;
}

function errorsOf({ name, verdicts }: JudgedReward): ScoreResponse['errors'] {
  return verdicts.flatMap((verdict, index) =>
    'error' in verdict ? [{ index, reward: name, ...verdict.error }] : [],
  );
}

function meanOf(part: readonly (number | null)[]): number {
  const known = part.filter((each) => each !== null);
  return known.length === 0 ? 0 : mean(known);
}

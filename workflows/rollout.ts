import { afterRound } from '../algorithm/rl/dynamic-sampling.ts';
import { rewardPlan } from '../algorithm/rl/reward-plan.ts';
import { rolloutOfStep } from '../algorithm/rl/rollout-plan.ts';
import type { JoinRolloutsInput, RecordStepInput, ScoreRolloutResult } from '../contracts/activities.ts';
import type { BranchKey } from '../contracts/identity.ts';
import type { ReinforcementPlan } from '../contracts/plan.ts';
import type { Cursor } from '../contracts/records.ts';
import type { Reference } from '../contracts/reference.ts';
import type { CurrentRollout, SamplingCost } from '../contracts/stage-state.ts';
import type { SampleResult } from '../contracts/training.ts';
import type { HeldTrainer } from '../contracts/workflows.ts';
import { orchestrator, rewards } from './activities.ts';
import { callTrainer, type LostQueues } from './trainer.ts';

/** A rollout that is ready for training, and its cost. */
export interface FreshRollout {
  rollout: CurrentRollout;
  spent: RecordStepInput['spent'];
  samples: ScoreRolloutResult['samples'];
}

interface RolloutInput {
  key: BranchKey;
  plan: ReinforcementPlan;
  trainer: HeldTrainer;
  lost: LostQueues;
  /** the first step that trains on it */
  step: number;
  cursor: Cursor;
  onPhase: (phase: string) => void;
}

type Part = JoinRolloutsInput['parts'][number];

/** Samples a rollout with the current policy, scores it, and computes its log-probabilities. */
export async function rollOut(input: RolloutInput): Promise<FreshRollout> {
  const { options } = input.plan;
  return options.dynamic_sampling ? await rollOutDynamically(input) : await rollOutOnce(input);
}

async function rollOutOnce(input: RolloutInput): Promise<FreshRollout> {
  const drawn = await draw(input, 0, groupsWanted(input), 0, input.cursor);
  const sampled = await sample(input, drawn.request);
  input.onPhase('scoring');
  const [scored, logprobs] = await Promise.all([
    score(input, sampled.rollout),
    computeLogprobs(input, sampled.rollout, drawn.temperature),
  ]);
  const parts = { request: drawn.request, rollout: sampled.rollout, scores: scored.scores };
  const spent = { ...costOf(sampled, scored), logprobs: logprobs.seconds };
  return {
    rollout: currentRollout(input, parts, logprobs.logprobs, drawn.cursor, spent),
    spent,
    samples: scored.samples,
  };
}

/** DAPO's dynamic sampling (arXiv 2503.14476): rounds until enough groups are neither all right nor all wrong. */
async function rollOutDynamically(input: RolloutInput): Promise<FreshRollout> {
  const wanted = groupsWanted(input);
  const maxExtraRounds = input.plan.options.dynamic_sampling_max_rounds;
  const parts: Part[] = [];
  const spent = { tokensSampled: 0, sampling: 0, scoring: 0, logprobs: 0 };
  let samples: ScoreRolloutResult['samples'] = [];
  let temperature = input.plan.options.temperature;
  let cursor = input.cursor;
  let sampledGroups = 0;
  let prompts = wanted;
  for (let round = 0; ; round++) {
    const drawn = await draw(input, round, prompts, sampledGroups, cursor);
    const sampled = await sample(input, drawn.request);
    input.onPhase('scoring');
    const scored = await score(input, sampled.rollout);
    parts.push({
      request: drawn.request,
      rollout: sampled.rollout,
      scores: scored.scores,
      keep: scored.informative,
    });
    samples = scored.samples;
    ({ cursor, temperature } = drawn);
    sampledGroups += prompts;
    spent.tokensSampled += sampled.tokens;
    spent.sampling += sampled.seconds;
    spent.scoring += scored.seconds;
    const kept = parts.reduce((sum, part) => sum + part.keep.length, 0);
    const outcome = afterRound({ wanted, kept, sampled: sampledGroups, rounds: round + 1, maxExtraRounds });
    if (outcome.kind !== 'refill') break;
    prompts = outcome.prompts;
  }
  const { key, step: firstStep } = input;
  const joined = await orchestrator.joinRollouts({ key, firstStep, parts, groups: wanted });
  const logprobs = await computeLogprobs(input, joined.rollout, temperature);
  spent.logprobs = logprobs.seconds;
  return { rollout: currentRollout(input, joined, logprobs.logprobs, cursor, spent), spent, samples };
}

/** The cost of samples and their scores. */
export const costOf = (sampled: SampleResult, scored: ScoreRolloutResult): SamplingCost => ({
  tokensSampled: sampled.tokens,
  sampling: sampled.seconds,
  scoring: scored.seconds,
});

const groupsWanted = ({ plan }: RolloutInput) =>
  plan.options.prompts_per_step * plan.options.steps_per_generation;

function draw(input: RolloutInput, round: number, prompts: number, firstSlot: number, cursor: Cursor) {
  const summary = `step ${input.step} · draw ${prompts} prompts${round > 0 ? ` · round ${round + 1}` : ''}`;
  const { key, step: firstStep } = input;
  return orchestrator.drawPrompts.executeWithOptions({ summary }, [
    { key, firstStep, cursor, round, prompts, firstSlot },
  ]);
}

function sample(input: RolloutInput, request: Reference) {
  const { trainer, lost, step } = input;
  input.onPhase('sampling');
  const expectedDigest = digestOf(trainer);
  return callTrainer(trainer, lost, 'sample', `step ${step} · sample`, { request, expectedDigest });
}

async function score({ key, plan, step }: RolloutInput, rollout: Reference): Promise<ScoreRolloutResult> {
  const { byRule, byModel } = rewardPlan(plan.options.rewards, step);
  const stage = { run: key.run, stage: key.stage };
  const scored = await rewards.scoreRollout.executeWithOptions({ summary: `step ${step} · score` }, [
    { key: stage, rollout, rewards: byRule },
  ]);
  if (byModel.length === 0) return scored;
  const judged = await Promise.all(
    byModel.map((reward) =>
      rewards.scoreByModel.executeWithOptions({ summary: `step ${step} · ${reward.name}` }, [
        { key: stage, rollout, reward },
      ]),
    ),
  );
  const parts = [scored.scores, ...judged.map(({ scores }) => scores)];
  const { scores } = await rewards.joinScores({ scores: parts });
  return { ...scored, scores, seconds: scored.seconds + Math.max(...judged.map(({ seconds }) => seconds)) };
}

/**
 * The reference's log-probabilities, and the old policy's where steps after the first train on this rollout: by then
 * the policy that sampled has been updated.
 */
async function computeLogprobs(input: RolloutInput, rollout: Reference, temperature: number) {
  const { trainer, lost, step, plan } = input;
  const { firstStep, lastStep } = rolloutOfStep(step, plan.options);
  const of = [
    ...(lastStep > firstStep ? (['old'] as const) : []),
    ...(trainer.referenceDigest !== null ? (['reference'] as const) : []),
  ];
  if (of.length === 0) return { logprobs: null, seconds: 0 };
  const request = { rollout, temperature, of, expectedDigest: digestOf(trainer) };
  return callTrainer(trainer, lost, 'logprobs', `step ${step} · log-probabilities`, request);
}

function currentRollout(
  { key, step, cursor }: RolloutInput,
  refs: { request: Reference; rollout: Reference; scores: Reference },
  logprobs: Reference | null,
  cursorAfter: Cursor,
  { tokensSampled }: FreshRollout['spent'],
): CurrentRollout {
  const { request, rollout, scores } = refs;
  return {
    branch: key.branch,
    firstStep: step,
    request,
    rollout,
    scores,
    logprobs,
    tokensSampled,
    cursorBefore: cursor,
    cursorAfter,
  };
}

/** The digest is logged wherever a rollout begins, so a trainer that samples always has one. */
function digestOf(trainer: HeldTrainer): string {
  if (trainer.digest === null)
    throw new Error(`step ${trainer.step}: expected a digest of the weights, found none`);
  return trainer.digest;
}

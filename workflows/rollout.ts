/** A rollout, shard by shard: draw prompts, sample, score, log-probabilities. */
import { afterRound } from '../algorithm/rl/dynamic-sampling.ts';
import { rewardPlan } from '../algorithm/rl/reward-plan.ts';
import { rolloutOfStep, shardSizes } from '../algorithm/rl/rollout-plan.ts';
import type { DrawPromptsResult, RecordStepInput, ScoreRolloutResult } from '../contracts/activities.ts';
import type { BranchKey } from '../contracts/identity.ts';
import type { ReinforcementPlan } from '../contracts/plan.ts';
import type { Cursor, Shard } from '../contracts/records/schemas.ts';
import type { Reference } from '../contracts/reference.ts';
import type { SamplingCost, UnindexedRollout, WholeRollout } from '../contracts/stage-state.ts';
import type { LogprobsResult, SampleResult } from '../contracts/training.ts';
import type { HeldTrainer } from '../contracts/workflows.ts';
import { orchestrator, rewards } from './activities.ts';
import { failureKind, TrainerLost } from './errors.ts';
import { addScoresByModel } from './model-scoring.ts';
import { callTrainer, type LostQueues, policyOf, speaksContract } from './trainer.ts';

/** A rollout that is ready for training, and its cost. Its first batch writes its index. */
export interface FreshRollout {
  rollout: UnindexedRollout | WholeRollout;
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
  /** shards that an earlier attempt has sampled; this one adds its own */
  sampled: SampledShards;
  onPhase: (phase: string, detail?: string) => void;
}

/** Sampled shards by request and policy: what a lost trainer has sampled is not sampled again. */
export type SampledShards = Map<string, SampleResult>;

/** A sampled shard; its scores may still be under way. */
interface SampledShard {
  request: Reference;
  sampled: SampleResult;
  logprobs: LogprobsResult | null;
  /** groups */
  size: number;
  scored: Promise<ScoreRolloutResult>;
}

/** A shard with all that its index needs. */
type ScoredShard = Omit<SampledShard, 'scored'> & { scored: ScoreRolloutResult };

/**
 * Samples a rollout with the current policy, scores it, and computes its log-probabilities. With DAPO's dynamic sampling
 * (arXiv 2503.14476) in rounds, until enough groups are neither all right nor all wrong.
 */
export async function rollOut(input: RolloutInput): Promise<FreshRollout> {
  const { options } = input.plan;
  const wanted = options.prompts_per_step * options.steps_per_generation;
  const shards: ScoredShard[] = [];
  let drawn: Drawn = { cursor: input.cursor, temperature: options.temperature };
  let prompts = wanted;
  for (let round = 0; ; round++) {
    drawn = await sampleRound(input, { round, prompts }, drawn, shards);
    if (!options.dynamic_sampling) break;
    const outcome = afterRound({
      wanted,
      kept: sumOf(shards, ({ scored }) => scored.informative.length),
      sampled: sumOf(shards, ({ size }) => size),
      rounds: round + 1,
      maxExtraRounds: options.dynamic_sampling_max_rounds,
    });
    if (outcome.kind !== 'refill') break;
    prompts = outcome.prompts;
  }
  const objects = await collect(input, shards, wanted, drawn.temperature);
  const spent = {
    tokensSampled: sumOf(shards, ({ sampled }) => sampled.tokens),
    sampling: sumOf(shards, ({ sampled }) => sampled.seconds),
    scoring: sumOf(shards, ({ scored }) => scored.seconds),
    logprobs: sumOf(shards, ({ logprobs }) => logprobs?.seconds ?? 0) + objects.logprobsSeconds,
  };
  const position = {
    branch: input.key.branch,
    firstStep: input.step,
    tokensSampled: spent.tokensSampled,
    cursorBefore: input.cursor,
    cursorAfter: drawn.cursor,
  };
  const rollout = { ...position, ...objects.location };
  return { rollout, spent, samples: shards.at(-1)?.scored.samples ?? [] };
}

type Drawn = Pick<DrawPromptsResult, 'cursor' | 'temperature'>;

const sumOf = <T>(entries: readonly T[], of: (entry: T) => number) =>
  entries.reduce((sum, entry) => sum + of(entry), 0);

/** Samples the shards of one round. While one is scored, the next is sampled; at most one waits for its scores. */
async function sampleRound(
  input: RolloutInput,
  { round, prompts }: { round: number; prompts: number },
  before: Drawn,
  shards: ScoredShard[],
): Promise<Drawn> {
  const sizes = shardSizes(prompts, input.plan.options);
  let drawn = before;
  let scoring: SampledShard | null = null;
  let firstSlot = sumOf(shards, ({ size }) => size);
  for (const [index, size] of sizes.entries()) {
    const detail = sizes.length > 1 ? `shard ${index + 1} of ${sizes.length}` : '';
    const next = await draw(input, { round, prompts: size, firstSlot, cursor: drawn.cursor });
    const sampled = await sample(input, next.request, detail);
    if (scoring !== null) shards.push({ ...scoring, scored: await scoring.scored });
    input.onPhase('scoring', detail);
    const scored = score(input, sampled.rollout);
    // An error is thrown where the scores are awaited.
    scored.catch(() => undefined);
    const logprobs = await logprobsOfShard(input, sampled.rollout, next.temperature);
    scoring = { request: next.request, sampled, logprobs, size, scored };
    drawn = next;
    firstSlot += size;
  }
  if (scoring !== null) shards.push({ ...scoring, scored: await scoring.scored });
  return drawn;
}

/** With dynamic sampling they are computed last, of the groups that are kept. */
async function logprobsOfShard(input: RolloutInput, rollout: Reference, temperature: number) {
  return input.plan.options.dynamic_sampling ? null : computeLogprobs(input, rollout, temperature);
}

interface Collected {
  location: Pick<UnindexedRollout, 'shards' | 'groups' | 'policy'> | Shard;
  logprobsSeconds: number;
}

/** What the rollout's index will list, after the log-probabilities of the groups that dynamic sampling keeps. */
async function collect(
  input: RolloutInput,
  scored: readonly ScoredShard[],
  groups: number,
  temperature: number,
): Promise<Collected> {
  if (!speaksContract(input.trainer)) return await collectWhole(input, scored, groups, temperature);
  const { dynamic_sampling: dynamic } = input.plan.options;
  const shards: UnindexedRollout['shards'] = [];
  let [left, logprobsSeconds] = [groups, 0];
  for (const { request, sampled, scored: judged, logprobs } of scored) {
    const { rollout } = sampled;
    const keep = dynamic ? judged.informative.slice(0, left) : null;
    left -= keep?.length ?? 0;
    const late =
      keep === null || keep.length === 0 ? null : await computeLogprobs(input, rollout, temperature, keep);
    logprobsSeconds += late?.seconds ?? 0;
    shards.push({
      request,
      rollout,
      scores: judged.scores,
      logprobs: (logprobs ?? late)?.logprobs ?? null,
      keep,
    });
  }
  return { location: { shards, groups, policy: policyOf(input.trainer) }, logprobsSeconds };
}

/** A rollout that a trainer of an earlier release has sampled, in one piece. */
async function collectWhole(
  input: RolloutInput,
  scored: readonly ScoredShard[],
  groups: number,
  temperature: number,
): Promise<Collected> {
  const [first] = scored;
  if (first === undefined) throw new TypeError(`step ${input.step}: expected a shard, found none`);
  const { request, sampled, logprobs } = first;
  const { dynamic_sampling: dynamic } = input.plan.options;
  if (!dynamic) {
    const parts = { request, rollout: sampled.rollout, scores: first.scored.scores };
    return { location: { ...parts, logprobs: logprobs?.logprobs ?? null }, logprobsSeconds: 0 };
  }
  const joined = await joinEarlier(input, groups);
  const late = await computeLogprobs(input, joined.rollout, temperature);
  return { location: { ...joined, logprobs: late?.logprobs ?? null }, logprobsSeconds: late?.seconds ?? 0 };
}

/** Only histories of an earlier release have its result; where it would run now, the stage starts from its rows. */
async function joinEarlier({ step }: RolloutInput, groups: number) {
  try {
    return await orchestrator.joinRollouts.executeWithOptions(
      { summary: `step ${step} · join ${groups} groups` },
      [],
    );
  } catch (error) {
    if (failureKind(error) !== 'TrainerLost') throw error;
    throw new TrainerLost(`step ${step}: its rollout was sampled by an earlier release`);
  }
}

/** The cost of samples and their scores. */
export const costOf = (sampled: SampleResult, scored: ScoreRolloutResult): SamplingCost => ({
  tokensSampled: sampled.tokens,
  sampling: sampled.seconds,
  scoring: scored.seconds,
});

function draw(
  { key, step: firstStep }: RolloutInput,
  {
    round,
    prompts,
    firstSlot,
    cursor,
  }: { round: number; prompts: number; firstSlot: number; cursor: Cursor },
) {
  const summary = `step ${firstStep} · draw ${prompts} prompts${round > 0 ? ` · round ${round + 1}` : ''}`;
  return orchestrator.drawPrompts.executeWithOptions({ summary }, [
    { key, firstStep, cursor, round, prompts, firstSlot },
  ]);
}

/** Samples a shard unless an earlier attempt has sampled it with this policy. */
async function sample(input: RolloutInput, request: Reference, detail: string): Promise<SampleResult> {
  const { trainer, lost, step, sampled } = input;
  const policy = policyOf(trainer);
  const name = `${request.sha256} ${policy}`;
  const known = sampled.get(name);
  if (known !== undefined) return known;
  input.onPhase('sampling', detail);
  const summary = `step ${step} · sample${detail === '' ? '' : ` · ${detail}`}`;
  const result = await callTrainer(trainer, lost, 'sample', summary, { request, policy });
  if (speaksContract(trainer)) sampled.set(name, result);
  return result;
}

async function score({ key, plan, step }: RolloutInput, rollout: Reference): Promise<ScoreRolloutResult> {
  const { byRule, byModel } = rewardPlan(plan.options.rewards, step);
  const stage = { run: key.run, stage: key.stage };
  const scored = await rewards.scoreRollout.executeWithOptions({ summary: `step ${step} · score` }, [
    { key: stage, rollout, rewards: byRule },
  ]);
  const shard = { key: stage, rollout, scores: scored.scores, byModel, what: `step ${step}` };
  const { scores, seconds } = await addScoresByModel(shard);
  return { ...scored, scores, seconds: scored.seconds + seconds };
}

/**
 * The reference's log-probabilities, and the old policy's where steps after the first train on this rollout: by then
 * the policy that sampled has been updated. `groups`: only of these groups.
 */
async function computeLogprobs(
  input: RolloutInput,
  rollout: Reference,
  temperature: number,
  groups?: number[],
): Promise<LogprobsResult | null> {
  const { trainer, lost, step, plan } = input;
  const { firstStep, lastStep } = rolloutOfStep(step, plan.options);
  const of = [
    ...(lastStep > firstStep ? (['old'] as const) : []),
    ...(trainer.referenceDigest !== null ? (['reference'] as const) : []),
  ];
  if (of.length === 0) return null;
  const policy = policyOf(trainer);
  const request = { rollout, temperature, of, policy, ...(groups === undefined ? {} : { groups }) };
  return callTrainer(trainer, lost, 'logprobs', `step ${step} · log-probabilities`, request);
}

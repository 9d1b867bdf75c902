import { deriveSeed } from '../../../algorithm/random/seeds.ts';
import type { DrawEvaluationInput, DrawEvaluationResult } from '../../../contracts/activities.ts';
import type { EvaluationOptions } from '../../../contracts/options.ts';
import type { RunPlan } from '../../../contracts/plan.ts';
import { ordinalsByDomain, readPrompts } from '../../../stores/data/prompts.ts';
import type { Database } from '../../../stores/database/database.ts';
import { keys } from '../../../stores/objects/keys.ts';
import { tokenizerOf } from '../../checkpoints/checkpoint-files.ts';
import type { Stores } from '../../dependencies.ts';
import { initialOf, planOf, stagePlanOf } from '../../plan-of.ts';
import { putSampleRequest } from '../../records/request.ts';
import { sampleRequest } from '../../sample-request.ts';

/**
 * Writes the sample request of one shard of an evaluation: the first held-out problems, k samples each. Problems and seeds are the same
 * at every step and for the base: differences come from the policy alone.
 */
export async function drawEvaluation(
  { database, objects }: Stores,
  input: DrawEvaluationInput,
): Promise<DrawEvaluationResult> {
  const plan = await planOf(database, input.key.run);
  const stage = stagePlanOf(plan, input.key.stage);
  const { k } = extentOf(stage.evaluation, input.quick);
  const ordinals = await heldOutOrdinals(database, plan, stage.evaluation, input.quick);
  const size = input.shard === undefined ? ordinals.length : shardSizeOf(stage.evaluation, ordinals.length);
  const begin = (input.shard ?? 0) * size;
  const ofShard = ordinals.slice(begin, begin + size);
  const rows = await readPrompts(database, plan.promptSet, 'test', ofShard);
  const runSeed = BigInt(plan.seed);
  const { temperature, top_p, top_k, max_completion_length } = stage.evaluation;
  const { manifest: model } = await initialOf(database, input.key);
  const drawnRequest = sampleRequest({
    tokenizer: await tokenizerOf(objects, model, plan),
    model,
    promptFormat: plan.promptFormat,
    prompts: rows.map((row, index) => ({ ...row, slot: begin + index })),
    numGenerations: k,
    seedOf: (slot, sample) => evaluationSeed(runSeed, slot, sample),
    sampling: { temperature, top_p, top_k, max_completion_length },
  });
  const key = keys.evaluationRequest(input.key, input);
  return {
    request: await putSampleRequest(objects, key, drawnRequest),
    shards: Math.ceil(ordinals.length / size),
  };
}

/** The first reasoning problems, and in a whole evaluation the first of each general domain in turn. */
async function heldOutOrdinals(
  database: Database,
  { promptSet, generalDomains }: RunPlan,
  options: EvaluationOptions,
  quick: boolean,
): Promise<number[]> {
  const byDomain = await ordinalsByDomain(database, promptSet, 'test');
  const of = (general: boolean) =>
    Object.entries(byDomain)
      .filter(([domain]) => generalDomains.includes(domain) === general)
      .flatMap(([, ordinals]) => ordinals)
      .sort((a, b) => a - b);
  const { problems } = extentOf(options, quick);
  return [...of(false).slice(0, problems), ...(quick ? [] : of(true).slice(0, options.general_problems))];
}

/** Problems of a shard; plans of an earlier release do not name it: all problems are one. */
const shardSizeOf = (
  { shard_size: size }: Partial<Pick<EvaluationOptions, 'shard_size'>>,
  problems: number,
) => size ?? Math.max(1, problems);

/** Problems and samples of a full or a quick measurement. */
function extentOf(options: EvaluationOptions, quick: boolean): { problems: number; k: number } {
  return quick
    ? { problems: options.quick_problems, k: options.quick_k }
    : { problems: options.problems, k: options.k };
}

/** The seed of a held-out problem's sample: the same for every stage and step. */
export function evaluationSeed(runSeed: bigint, slot: number, sample: number): bigint {
  return deriveSeed({ runSeed, stage: 'evaluation', branch: 0, purpose: 'sample', step: 0, slot, sample });
}

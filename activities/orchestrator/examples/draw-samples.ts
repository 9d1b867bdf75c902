import { deriveSeed } from '../../../algorithm/random/seeds.ts';
import { firstCursor, take } from '../../../algorithm/rl/prompt-order.ts';
import type { DrawSamplesInput, DrawSamplesResult } from '../../../contracts/activities.ts';
import { Failure } from '../../../contracts/failures.ts';
import type { SampledSource, SupervisedPlan } from '../../../contracts/plan.ts';
import { readPrompts } from '../../../stores/data/prompts.ts';
import { keys } from '../../../stores/objects/keys.ts';
import { finalCheckpoint } from '../../../stores/steps/checkpoints.ts';
import { tokenizerOf } from '../../checkpoints/checkpoint-files.ts';
import type { Stores } from '../../dependencies.ts';
import { planOf, supervisedPlanOf } from '../../plan-of.ts';
import { putSampleRequest } from '../../records/request.ts';
import { sampleRequest } from '../../sample-request.ts';
import { trainOrdinals } from '../rollouts/train-ordinals.ts';
import { samplePartsOf } from './open-examples.ts';

/**
 * Writes one sample request for a stage's examples. Each source goes through the training prompts in its own order, and
 * each part takes the next prompts: the same part is always the same request.
 */
export async function drawSamples(
  { database, objects }: Stores,
  { key, part, source: index }: DrawSamplesInput,
): Promise<DrawSamplesResult> {
  const plan = await planOf(database, key.run);
  const { data } = supervisedPlanOf(plan, key.stage);
  const source = sourceAt(data, index);
  const { manifest: model } = await finalCheckpoint(database, { run: key.run, stage: source.policy });
  const ordinals = await trainOrdinals(database, plan, source.domain_weights ?? null);
  const runSeed = BigInt(plan.seed);
  const range = rangeOf(data, source, index, part);
  const order = { runSeed, stage: `${key.stage}/source-${index}`, size: ordinals.length };
  const { indices } = take(firstCursor, range.end, order);
  const drawn = indices.slice(range.begin).map((position) => ordinals[position] ?? 0);
  const rows = await readPrompts(database, plan.promptSet, 'train', drawn);
  const { temperature, top_p, top_k, max_completion_length } = source;
  const drawnRequest = sampleRequest({
    tokenizer: await tokenizerOf(objects, model, plan),
    model,
    promptFormat: plan.promptFormat,
    prompts: rows.map((row, slot) => ({ ...row, slot })),
    numGenerations: source.num_generations,
    seedOf: (slot, sample) =>
      deriveSeed({
        runSeed,
        stage: key.stage,
        branch: key.branch,
        purpose: 'examples',
        step: part,
        slot,
        sample,
      }),
    sampling: { temperature, top_p, top_k, max_completion_length },
  });
  return { request: await putSampleRequest(objects, keys.examplesRequest(key, part), drawnRequest) };
}

function sourceAt({ sampled }: SupervisedPlan['data'], index: number): SampledSource {
  const source = sampled[index];
  if (source !== undefined) return source;
  throw new Failure(
    'InvalidInput',
    `expected one of ${sampled.length} sampled sources, found number ${index}`,
  );
}

/** The prompts of a part, as positions in its source's order: `begin` … `end` − 1. */
function rangeOf(data: SupervisedPlan['data'], source: SampledSource, index: number, part: number) {
  const first = samplePartsOf(data).find((other) => other.source === index)?.part ?? 0;
  const begin = (part - first) * source.prompts_per_request;
  return { begin, end: Math.min(begin + source.prompts_per_request, source.prompts) };
}

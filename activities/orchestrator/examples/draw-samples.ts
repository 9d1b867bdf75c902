import { deriveSeed } from '../../../algorithm/random/seeds.ts';
import { firstCursor, take } from '../../../algorithm/rl/prompt-cursor.ts';
import type { DrawSamplesInput, DrawSamplesResult } from '../../../contracts/activities.ts';
import { Failure } from '../../../contracts/failures.ts';
import type { SampledSource, SupervisedPlan } from '../../../contracts/plan.ts';
import { readPrompts } from '../../../stores/data/prompts.ts';
import { keys } from '../../../stores/objects/keys.ts';
import { putRecord } from '../../../stores/objects/records.ts';
import { finalCheckpoint } from '../../../stores/steps/checkpoints.ts';
import { tokenizerOf } from '../../checkpoints/checkpoint-files.ts';
import type { Stores } from '../../dependencies.ts';
import { planOf, supervisedPlanOf } from '../../plan-of.ts';
import { sampleRequest } from '../../sample-request.ts';
import { trainOrdinals } from '../rollouts/train-ordinals.ts';
import { samplePartsOf } from './open-examples.ts';

/**
 * Writes one request for samples of a stage's examples. A source walks over the training prompts in an order of its
 * own; part by part it takes the next ones, so the same part is always the same request.
 */
export async function drawSamples(
  { database, objects }: Stores,
  { key, part, source: place }: DrawSamplesInput,
): Promise<DrawSamplesResult> {
  const plan = await planOf(database, key.run);
  const { data } = supervisedPlanOf(plan, key.stage);
  const source = sourceAt(data, place);
  const { manifest: model } = await finalCheckpoint(database, { run: key.run, stage: source.policy });
  const ordinals = await trainOrdinals(database, plan, source.domain_weights ?? null);
  const runSeed = BigInt(plan.seed);
  const taken = placesOf(data, source, place, part);
  const walk = { runSeed, stage: `${key.stage}/source-${place}`, size: ordinals.length };
  const { indices } = take(firstCursor, taken.end, walk);
  const drawn = indices.slice(taken.begin).map((index) => ordinals[index] ?? 0);
  const rows = await readPrompts(database, plan.promptSet, 'train', drawn);
  const { temperature, top_p, top_k, max_completion_length } = source;
  const { record, tensors } = sampleRequest({
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
  return { request: await putRecord(objects, keys.examplesRequest(key, part), record, tensors) };
}

function sourceAt({ sampled }: SupervisedPlan['data'], place: number): SampledSource {
  const source = sampled[place];
  if (source !== undefined) return source;
  throw new Failure(
    'InvalidInput',
    `expected one of ${sampled.length} sampled sources, found number ${place}`,
  );
}

/** Which prompts of its source's walk a part takes: `begin` … `end` − 1. */
function placesOf(data: SupervisedPlan['data'], source: SampledSource, place: number, part: number) {
  const first = samplePartsOf(data).find((other) => other.source === place)?.part ?? 0;
  const begin = (part - first) * source.prompts_per_request;
  return { begin, end: Math.min(begin + source.prompts_per_request, source.prompts) };
}

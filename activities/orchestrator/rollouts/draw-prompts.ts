import { deriveSeed } from '../../../algorithm/random/seeds.ts';
import { beginsPhase, domainWeightsAt, firstCursor, take } from '../../../algorithm/rl/prompt-order.ts';
import { completionLimitAt, optionsInForce } from '../../../algorithm/rl/schedules.ts';
import type { DrawPromptsInput, DrawPromptsResult } from '../../../contracts/activities.ts';
import { readPrompts } from '../../../stores/data/prompts.ts';
import { keys } from '../../../stores/objects/keys.ts';
import { listChanges } from '../../../stores/runs/changes.ts';
import { tokenizerOf } from '../../checkpoints/checkpoint-files.ts';
import type { Stores } from '../../dependencies.ts';
import { initialOf, planOf, reinforcementPlanOf } from '../../plan-of.ts';
import { putSampleRequest } from '../../records/request.ts';
import { sampleRequest } from '../../sample-request.ts';
import { trainOrdinals } from './train-ordinals.ts';

/**
 * Draws the prompts of the next shard and writes the request to sample from them. The same cursor gives the same prompts
 * and seeds, and so the same object: drawing twice issues no prompt twice.
 */
export async function drawPrompts(
  { database, objects }: Stores,
  input: DrawPromptsInput,
): Promise<DrawPromptsResult> {
  const { key, firstStep, firstSlot } = input;
  const plan = await planOf(database, key.run);
  const stage = reinforcementPlanOf(plan, key.stage);
  const { manifest: model } = await initialOf(database, key);
  const [changes, tokenizer, ordinals] = await Promise.all([
    listChanges(database, key),
    tokenizerOf(objects, model, plan),
    trainOrdinals(database, plan, domainWeightsAt(firstStep, stage.options)),
  ]);
  const options = optionsInForce(firstStep, stage.options, changes);
  const runSeed = BigInt(plan.seed);
  const order = { runSeed, stage: key.stage, size: ordinals.length };
  const startsOver = input.firstSlot === 0 && beginsPhase(firstStep, stage.options);
  const cursor = startsOver ? { ...firstCursor, pass: input.cursor.pass + 1 } : input.cursor;
  const { indices, next } = take(cursor, input.prompts, order);
  const rows = await readPrompts(
    database,
    plan.promptSet,
    'train',
    indices.map((index) => ordinals[index] ?? 0),
  );
  const drawnRequest = sampleRequest({
    tokenizer,
    model,
    promptFormat: plan.promptFormat,
    prompts: rows.map((row, index) => ({ ...row, slot: firstSlot + index })),
    numGenerations: options.num_generations,
    seedOf: (slot, sample) =>
      deriveSeed({
        runSeed,
        stage: key.stage,
        branch: key.branch,
        purpose: 'sample',
        step: firstStep,
        slot,
        sample,
      }),
    sampling: {
      temperature: options.temperature,
      top_p: options.top_p,
      top_k: options.top_k,
      max_completion_length: completionLimitAt(firstStep, options),
    },
  });
  const request = await putSampleRequest(objects, keys.request({ ...key, step: firstStep }), drawnRequest);
  return { request, cursor: next, temperature: options.temperature };
}

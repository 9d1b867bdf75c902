/**
 * The contracts as JSON Schemas, for readers of `--json` documents, editors of recipes and workers in other
 * languages.
 */
import { z } from 'zod';
import { documents } from './documents.ts';
import { pretrainingSchema, pretrainSchema } from './pretrain.ts';
import { recipeSchema } from './recipe.ts';
import * as records from './records.ts';
import * as training from './training.ts';

/** Described as stored: with the defaults filled in. */
const outputs: Record<string, z.ZodType> = {
  ...documents,
  pretraining: pretrainingSchema,
  'records/sample-request': records.sampleRequestSchema,
  'records/rollout': records.rolloutSchema,
  'records/scores': records.scoresSchema,
  'records/logprobs': records.logprobsSchema,
  'records/batch': records.batchSchema,
  'training/acquire-input': training.acquireInputSchema,
  'training/acquire-result': training.acquireResultSchema,
  'training/sample-input': training.sampleInputSchema,
  'training/sample-result': training.sampleResultSchema,
  'training/logprobs-input': training.logprobsInputSchema,
  'training/logprobs-result': training.logprobsResultSchema,
  'training/train-step-input': training.trainStepInputSchema,
  'training/train-step-result': training.trainStepResultSchema,
  'training/checkpoint-input': training.checkpointInputSchema,
  'training/checkpoint-result': training.checkpointResultSchema,
  'training/release-input': training.releaseInputSchema,
  'training/manifest': training.manifestSchema,
};
/** Described as a person may write them: fields with defaults are optional. */
const inputs: Record<string, z.ZodType> = {
  'recipes/recipe': recipeSchema,
  'recipes/nano-base': pretrainSchema,
};

/** The text of each file in `contracts/schemas/`, by its path within that folder. */
export function schemaFiles(): Map<string, string> {
  return new Map([...textsOf(outputs, 'output'), ...textsOf(inputs, 'input')]);
}

function textsOf(schemas: Record<string, z.ZodType>, io: 'input' | 'output'): [string, string][] {
  return Object.entries(schemas).map(([name, schema]) => {
    const json = { title: name, ...z.toJSONSchema(schema, { io }) };
    return [`${name}.json`, `${JSON.stringify(json, null, 2)}\n`];
  });
}

/** The contracts as JSON Schemas, for readers of `--json` documents, editors of recipes and workers in other languages. */
import { z } from 'zod';
import { documents } from './documents.ts';
import { pretrainingSchema, pretrainSchema } from './pretrain.ts';
import { recipeSchema } from './recipe.ts';
import * as records from './records.ts';
import * as training from './training.ts';

/** What is written is described as it lies there; what a person writes, as they may write it. */
const read: Record<string, z.ZodType> = {
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
const written: Record<string, z.ZodType> = {
  'recipes/recipe': recipeSchema,
  'recipes/nano-base': pretrainSchema,
};

/** Path within `contracts/schemas/` → the file's text. */
export function schemaFiles(): Map<string, string> {
  return new Map([...textsOf(read, 'output'), ...textsOf(written, 'input')]);
}

function textsOf(schemas: Record<string, z.ZodType>, io: 'input' | 'output'): [string, string][] {
  return Object.entries(schemas).map(([name, schema]) => {
    const json = { title: name, ...z.toJSONSchema(schema, { io }) };
    return [`${name}.json`, `${JSON.stringify(json, null, 2)}\n`];
  });
}

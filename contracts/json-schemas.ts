/**
 * The contracts as JSON Schemas and tables, for readers of `--json` documents, editors of recipes and workers in other
 * languages. `contracts/README.md` says what a worker does with them.
 */
import { z } from 'zod';
import { documents } from './documents.ts';
import { failures } from './failures.ts';
import { objectKeys } from './object-keys.ts';
import { pretrainingSchema, pretrainSchema } from './pretrain.ts';
import { recipeSchema } from './recipe.ts';
import { type RecordFormat, recordFormats } from './records/formats.ts';
import { RECORD_VERSION } from './records/schemas.ts';
import { type RecordKind, recordTensors } from './records/tensors.ts';
import * as training from './training.ts';

const kinds = Object.entries(recordFormats) as [RecordKind, RecordFormat][];

const calls = Object.entries(training.trainingCalls);

/** Described as stored or returned: with the defaults filled in. */
const outputs: Record<string, z.ZodType> = {
  ...documents,
  pretraining: pretrainingSchema,
  ...Object.fromEntries(kinds.map(([kind, format]) => [`records/${kind}`, format[2]])),
  ...Object.fromEntries(
    kinds.flatMap(([kind, format]) => (format[1] ? [[`records/release-1/${kind}`, format[1]]] : [])),
  ),
  ...Object.fromEntries(calls.map(([name, { result }]) => [`training/${dashed(name)}-result`, result])),
  'training/heartbeat': training.heartbeatSchema,
  'training/lease': training.leaseAnswerSchema,
  'training/manifest': training.manifestSchema,
};
/** Described as written by a person, or as sent by any release: fields with defaults are optional. */
const inputs: Record<string, z.ZodType> = {
  'recipes/recipe': recipeSchema,
  'recipes/nano-base': pretrainSchema,
  ...Object.fromEntries(calls.map(([name, { input }]) => [`training/${dashed(name)}-input`, input])),
};

/** What JSON Schemas do not say. */
const tables: Record<string, unknown> = {
  'records/tensors': { version: RECORD_VERSION, records: recordTensors },
  failures,
  'object-keys': objectKeys,
  'task-queues': training.callQueues,
};

/** The text of each file in `contracts/schemas/`, by its path within that folder. */
export function schemaFiles(): Map<string, string> {
  const jsonOf = (io: 'input' | 'output') => (schema: z.ZodType) => z.toJSONSchema(schema, { io });
  return new Map([
    ...textsOf(outputs, jsonOf('output')),
    ...textsOf(inputs, jsonOf('input')),
    ...Object.entries(tables).map(([name, table]) => fileOf(name, table)),
  ]);
}

function textsOf(
  schemas: Record<string, z.ZodType>,
  jsonOf: (schema: z.ZodType) => object,
): [string, string][] {
  return Object.entries(schemas).map(([name, schema]) => fileOf(name, { title: name, ...jsonOf(schema) }));
}

function fileOf(name: string, json: unknown): [string, string] {
  return [`${name}.json`, `${JSON.stringify(json, null, 2)}\n`];
}

/** `trainStep` as `train-step` */
function dashed(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

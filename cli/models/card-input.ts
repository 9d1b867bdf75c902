/** Gathers from rows and objects what a model card says. */
import { readManifest } from '../../activities/checkpoints/checkpoint-files.ts';
import type { ShowDocument } from '../../contracts/documents.ts';
import type { RunPlan } from '../../contracts/plan.ts';
import type { Reference } from '../../contracts/reference.ts';
import { getDataset } from '../../stores/data/datasets.ts';
import type { Queryable } from '../../stores/database/database.ts';
import type { ObjectStore } from '../../stores/objects/objects.ts';
import { getRun } from '../../stores/runs/runs.ts';
import { readShow } from '../run/run-rows.ts';
import type { Connections } from '../stack/connections.ts';
import type { ModelCardInput } from './model-card.ts';
import type { OpenCheckpoint } from './open-model.ts';

export async function readCardInput(
  { model, origin: { run, stage, step } }: OpenCheckpoint,
  { database, objects }: Connections,
): Promise<ModelCardInput> {
  const reader = await database();
  const { recipe, plan } = await getRun(reader, run);
  const { evaluations, stages } = await readShow(reader, run);
  return {
    run,
    stage,
    step,
    digest: model.digest,
    recipe,
    seed: plan.seed,
    promptSet: plan.promptSet,
    models: await modelsOf(await objects(), plan),
    data: await dataOf(reader, plan, stages),
    evaluations,
    measure: stages.find((found) => found.stage === stage)?.measure ?? null,
    files: [...model.files.keys()],
    hasChatTemplate: model.tokenizer.hasChatTemplate,
  };
}

/** The models imported at launch that stages start from. */
async function modelsOf(objects: ObjectStore, { stages }: RunPlan): Promise<ModelCardInput['models']> {
  const models: Record<string, ModelCardInput['models'][string]> = {};
  for (const { origin } of stages) {
    if (origin.kind !== 'model' || origin.name in models) continue;
    const { manifest, digests } = origin.checkpoint;
    models[origin.name] = { digest: digests.weights, card: await readCard(objects, manifest) };
  }
  return models;
}

async function readCard(objects: ObjectStore, manifest: Reference): Promise<string | null> {
  const { 'README.md': card } = (await readManifest(objects, manifest)).files;
  return card === undefined ? null : new TextDecoder().decode(await objects.get(card));
}

/** What each stage was trained on besides prompts: made examples, imported preferences. */
async function dataOf(
  reader: Queryable,
  plan: RunPlan,
  stages: ShowDocument['stages'],
): Promise<ModelCardInput['data']> {
  const data: Record<string, { name: string; digest: string }> = {};
  for (const { stage, dataset } of stages) {
    if (dataset === null) continue;
    const { name, version, digest } = await getDataset(reader, dataset);
    data[stage] = { name: `${name}@${version}`, digest };
  }
  for (const stage of plan.stages)
    if (stage.algorithm === 'reward-model')
      data[stage.stage] = { name: 'preferences', digest: stage.preferences };
  return data;
}

import type { ExamplesPosition, SamplePart } from '../../../contracts/activities.ts';
import type { BranchKey } from '../../../contracts/identity.ts';
import type { SupervisedPlan } from '../../../contracts/plan.ts';
import { freezeDataset } from '../../../stores/data/datasets.ts';
import { listParts } from '../../../stores/data/samples.ts';
import type { Database } from '../../../stores/database/database.ts';
import { findStageDataset, readStageDataset, settleStageDataset } from '../../../stores/runs/stages.ts';
import { finalCheckpoint } from '../../../stores/steps/checkpoints.ts';
import type { Stores, WatchedStores } from '../../dependencies.ts';
import { planOf, supervisedPlanOf } from '../../plan-of.ts';
import { buildDataset } from './build-dataset.ts';

/** Which of a supervised stage's examples exist already, and which are still to be sampled (rule 3). */
export async function openExamples(
  { database }: Pick<Stores, 'database'>,
  { key }: { key: BranchKey },
): Promise<ExamplesPosition> {
  const { data } = supervisedPlanOf(await planOf(database, key.run), key.stage);
  const made = await findStageDataset(database, key);
  if (made !== null) return { made, policies: [], missing: [], parts: 0 };
  const policies = await Promise.all(
    data.sampled.map(({ policy }) => finalCheckpoint(database, { run: key.run, stage: policy })),
  );
  const all = samplePartsOf(data);
  const selected = new Set((await listParts(database, key)).map(({ part }) => part));
  const missing = all.filter(({ part }) => !selected.has(part));
  return { made: null, policies, missing, parts: all.length };
}

/** The requests of a stage's sampled sources, one after the other. */
export function samplePartsOf({ sampled }: SupervisedPlan['data']): SamplePart[] {
  return sampled
    .flatMap(({ prompts, prompts_per_request }, source) =>
      Array.from({ length: Math.ceil(prompts / prompts_per_request) }, () => ({ source })),
    )
    .map(({ source }, part) => ({ part, source }));
}

/** Builds the stage's data set of selected samples, imported examples and other stages' data sets, and settles it. */
export async function buildExamples(
  stores: WatchedStores,
  { key }: { key: BranchKey },
): Promise<{ digest: string }> {
  const { database } = stores;
  const { data } = supervisedPlanOf(await planOf(database, key.run), key.stage);
  const digest = (await takenOver(database, key, data)) ?? (await build(stores, key, data));
  await freezeDataset(database, digest);
  await settleStageDataset(database, key, digest);
  stores.failpoints.reached('dataset', 0);
  return { digest };
}

/** A stage that only uses another stage's data set builds none. */
async function takenOver(
  database: Database,
  { run }: BranchKey,
  { sampled, examples, stages }: SupervisedPlan['data'],
): Promise<string | null> {
  const [only, ...others] = stages;
  if (only === undefined || others.length + sampled.length + examples.length > 0) return null;
  return readStageDataset(database, { run, stage: only });
}

async function build(stores: Stores, key: BranchKey, data: SupervisedPlan['data']): Promise<string> {
  const ofStages = data.stages.map((stage) => readStageDataset(stores.database, { run: key.run, stage }));
  const { digest } = await buildDataset(stores, {
    key,
    name: `${key.run}-${key.stage.replace('/', '-')}`,
    rule: data.keep,
    parts: samplePartsOf(data).length,
    include: [...(await Promise.all(ofStages)), ...data.examples],
  });
  return digest;
}

import { z } from 'zod';
import { Failure } from '../../contracts/failures.ts';
import type { StageKey } from '../../contracts/identity.ts';
import type { RunPlan, StagePlan } from '../../contracts/plan.ts';
import type { Recipe } from '../../contracts/recipe.ts';
import { referenceSchema, sha256Schema } from '../../contracts/reference.ts';
import {
  type CommittedCheckpoint,
  type RunStatus,
  runStatusSchema,
  stageStatusSchema,
} from '../../contracts/stage-state.ts';
import { digestsSchema } from '../../contracts/training.ts';
import type { Database, Queryable, Transaction } from '../database/database.ts';
import { asStored, insertRow, parseRows, readRow, readRows } from '../database/rows.ts';
import { listTrainerQueue } from './trainer-queue.ts';

export interface NewRun {
  run: string;
  recipe: Recipe;
  /** decided at launch; every activity reads it */
  plan: RunPlan;
  base: CommittedCheckpoint;
}

export interface Run extends NewRun {
  status: RunStatus;
  reason: string | null;
  startedAt: string;
  finishedAt: string | null;
}

export interface RunSummary {
  run: string;
  recipe: string;
  status: RunStatus;
  startedAt: string;
  /** its position in the queue for a trainer, from 1; null: it is not in the queue */
  place: number | null;
}

/** The parts of a plan that every release has written. */
const planOutline = z.looseObject({
  seed: z.string(),
  promptSet: sha256Schema,
  stages: z.array(z.looseObject({ stage: z.string(), algorithm: z.string(), options: z.looseObject({}) })),
});
/** Recipes and plans are read as the release that launched the run wrote them. */
const planSchema = asStored<RunPlan>(planOutline);
const recipeSchema = asStored<Recipe>(z.looseObject({ name: z.string() }));

export const committedCheckpointSchema = z.object({
  step: z.int(),
  manifest: referenceSchema,
  digests: digestsSchema,
});

const runSchema = z.object({
  run: z.string(),
  recipe: recipeSchema,
  plan: planSchema,
  base: committedCheckpointSchema,
  status: runStatusSchema,
  reason: z.string().nullable(),
  startedAt: z.iso.datetime(),
  finishedAt: z.iso.datetime().nullable(),
});

const COLUMNS = `run, recipe, plan, base, status, reason,
  started_at AS "startedAt", finished_at AS "finishedAt"`;

/**
 * Writes a run, its stages and their first branches, or nothing.
 * @throws Failure 'InvalidInput' where the name is taken.
 */
export async function createRun(database: Database, run: NewRun): Promise<Run> {
  return database.transaction(async (tx) => {
    const inserted = await insertRow(
      tx,
      'runs',
      {
        run: run.run,
        recipe_name: run.recipe.name,
        recipe: run.recipe,
        plan: run.plan,
        seed: run.plan.seed,
        prompt_set: run.plan.promptSet,
        base: run.base,
      },
      { onConflict: 'nothing', returning: COLUMNS },
    );
    const [created] = parseRows('runs', runSchema, inserted);
    if (!created) throw nameTaken(run.run);
    for (const [position, plan] of run.plan.stages.entries()) await createStage(tx, run.run, position, plan);
    return created;
  });
}

async function createStage(tx: Transaction, run: string, position: number, plan: StagePlan): Promise<void> {
  const { origin } = plan;
  // A reward model is made from its origin when the stage is opened.
  const ready = origin.kind === 'model' && plan.algorithm !== 'reward-model';
  const initial = ready ? origin.checkpoint : null;
  await insertRow(tx, 'stages', {
    run,
    stage: plan.stage,
    position,
    steps: plan.options.max_steps,
    algorithm: plan.algorithm,
    origin: origin.kind === 'model' ? origin.name : origin.stage,
    initial_manifest: initial?.manifest,
    initial_digests: initial?.digests,
  });
  await insertRow(tx, 'branches', { run, stage: plan.stage, branch: 0 });
}

const nameTaken = (run: string) =>
  new Failure(
    'InvalidInput',
    `expected a new name, found that a run "${run}" exists. Choose another (--name), or look at that run: \`r1 show ${run}\`.`,
  );

/** Throws Failure 'InvalidInput' where there is no such run. */
export async function getRun(reader: Queryable, run: string): Promise<Run> {
  const found = await readRow(reader, 'runs', runSchema, `SELECT ${COLUMNS} FROM runs WHERE run = $1`, [run]);
  return found ?? refuseUnknownRun(run);
}

/** A stage's part of its run's plan. Throws Failure 'InvalidInput' where there is none. */
export async function readStagePlan(reader: Queryable, { run, stage }: StageKey): Promise<StagePlan> {
  const row = await readRow(
    reader,
    'runs',
    z.object({ plan: planSchema }),
    'SELECT plan FROM runs WHERE run = $1',
    [run],
  );
  const plan = row?.plan.stages.find((candidate) => candidate.stage === stage);
  if (plan !== undefined) return plan;
  throw new Failure('InvalidInput', `run "${run}": expected a plan of the stage "${stage}", found none`);
}

/** The run launched last; null where there is none. */
export async function latestRun(reader: Queryable): Promise<Run | null> {
  const found = await readRow(
    reader,
    'runs',
    runSchema,
    `SELECT ${COLUMNS} FROM runs ORDER BY started_at DESC, run DESC LIMIT 1`,
  );
  return found ?? null;
}

const summarySchema = runSchema
  .pick({ run: true, status: true, startedAt: true })
  .extend({ recipe: z.string() });

/** All runs, the latest first. */
export async function listRuns(reader: Queryable): Promise<RunSummary[]> {
  const queue = await listTrainerQueue(reader);
  const runs = await readRows(
    reader,
    'runs',
    summarySchema,
    `SELECT run, recipe_name AS recipe, status, started_at AS "startedAt"
     FROM runs ORDER BY started_at DESC, run DESC`,
  );
  return runs.map((run) => ({ ...run, place: queue.find((each) => each.run === run.run)?.place ?? null }));
}

/**
 * @throws Failure 'InvalidInput' where there is no such run; 'Contradiction' where the status is `complete` and a stage
 * is not complete (rule 14).
 */
export async function setRunStatus(
  database: Database,
  run: string,
  status: RunStatus,
  reason: string | null = null,
): Promise<void> {
  await database.transaction(async (tx) => {
    await tx.query('SELECT FROM runs WHERE run = $1 FOR NO KEY UPDATE', [run]);
    if (status === 'complete') await refuseIncomplete(tx, run);
    const updated = await tx.query(
      `UPDATE runs SET status = $2, reason = $3,
         finished_at = CASE WHEN $2 IN ('complete', 'aborted') THEN coalesce(finished_at, now()) END
       WHERE run = $1 RETURNING run`,
      [run, status, reason],
    );
    if (updated.length === 0) refuseUnknownRun(run);
  });
}

async function refuseIncomplete(tx: Transaction, run: string): Promise<void> {
  const open = await readRows(
    tx,
    'stages',
    z.object({ stage: z.string(), status: stageStatusSchema }),
    `SELECT stage, status FROM stages WHERE run = $1 AND status <> 'complete' ORDER BY position`,
    [run],
  );
  if (open.length === 0) return;
  const found = open.map(({ stage, status }) => `${stage} ${status}`).join(', ');
  throw new Failure(
    'Contradiction',
    `run "${run}": expected every stage complete before the run is, found ${found}. Finish or abort them first.`,
  );
}

function refuseUnknownRun(run: string): never {
  throw new Failure(
    'InvalidInput',
    `expected the name of a run, found no run "${run}". \`r1 runs\` lists them.`,
  );
}

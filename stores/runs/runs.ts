import { Failure } from '../../contracts/failures.ts';
import type { RunPlan, StagePlan } from '../../contracts/plan.ts';
import type { Recipe } from '../../contracts/recipe.ts';
import type { CommittedCheckpoint, RunStatus } from '../../contracts/stage-state.ts';
import type { Database, Queryable, Transaction } from '../database/database.ts';
import { json } from '../database/json.ts';
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
  /** in the queue for a trainer, from 1 on; null: it waits for none */
  place: number | null;
}

const COLUMNS = `run, recipe, plan, base, status, reason,
  started_at AS "startedAt", finished_at AS "finishedAt"`;

/**
 * Writes a run, its stages and their first branches, or nothing.
 * @throws Failure 'InvalidInput' where the name is taken.
 */
export async function createRun(database: Database, run: NewRun): Promise<Run> {
  return database.transaction(async (tx) => {
    const [created] = await tx.query<Run>(
      `INSERT INTO runs (run, recipe_name, recipe, plan, seed, prompt_set, base)
       VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (run) DO NOTHING RETURNING ${COLUMNS}`,
      [
        run.run,
        run.recipe.name,
        json(run.recipe),
        json(run.plan),
        run.plan.seed,
        run.plan.promptSet,
        json(run.base),
      ],
    );
    if (!created) throw nameTaken(run.run);
    for (const [position, plan] of run.plan.stages.entries()) await createStage(tx, run.run, position, plan);
    return created;
  });
}

async function createStage(tx: Transaction, run: string, position: number, plan: StagePlan): Promise<void> {
  const { origin } = plan;
  // A reward model is made of its origin when the stage is opened.
  const ready = origin.kind === 'model' && plan.algorithm !== 'reward-model';
  const initial = ready ? origin.checkpoint : null;
  await tx.query(
    `INSERT INTO stages (run, stage, position, steps, algorithm, origin, initial_manifest, initial_digests)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [
      run,
      plan.stage,
      position,
      plan.options.max_steps,
      plan.algorithm,
      origin.kind === 'model' ? origin.name : origin.stage,
      initial && json(initial.manifest),
      initial && json(initial.digests),
    ],
  );
  await tx.query('INSERT INTO branches (run, stage, branch) VALUES ($1, $2, 0)', [run, plan.stage]);
}

const nameTaken = (run: string) =>
  new Failure(
    'InvalidInput',
    `expected a new name, found that a run "${run}" exists. Choose another (--name), or go on with it: \`r1 show ${run}\`.`,
  );

/** Throws Failure 'InvalidInput' where there is no such run. */
export async function getRun(reader: Queryable, run: string): Promise<Run> {
  const [found] = await reader.query<Run>(`SELECT ${COLUMNS} FROM runs WHERE run = $1`, [run]);
  return found ?? refuseUnknownRun(run);
}

/** The run launched last; null where there is none. */
export async function latestRun(reader: Queryable): Promise<Run | null> {
  const [found] = await reader.query<Run>(
    `SELECT ${COLUMNS} FROM runs ORDER BY started_at DESC, run DESC LIMIT 1`,
  );
  return found ?? null;
}

/** All runs, the latest first. */
export async function listRuns(reader: Queryable): Promise<RunSummary[]> {
  const queue = await listTrainerQueue(reader);
  const runs = await reader.query<Omit<RunSummary, 'place'>>(
    `SELECT run, recipe_name AS recipe, status, started_at AS "startedAt"
     FROM runs ORDER BY started_at DESC, run DESC`,
  );
  return runs.map((run) => ({ ...run, place: queue.find((each) => each.run === run.run)?.place ?? null }));
}

/**
 * @throws Failure 'InvalidInput' where there is no such run; 'Contradiction' where it is said to be
 * complete and a stage is not (rule 14).
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
  const open = await tx.query<{ stage: string; status: string }>(
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

import { z } from 'zod';
import { rolloutOfStep } from '../../algorithm/rl/rollout-plan.ts';
import type { LoggedBatch, StagePosition } from '../../contracts/activities.ts';
import { Failure } from '../../contracts/failures.ts';
import type { BranchKey, StageKey } from '../../contracts/identity.ts';
import { numericsSchema } from '../../contracts/numerics.ts';
import type { StagePlan } from '../../contracts/plan.ts';
import { cursorSchema } from '../../contracts/records/schemas.ts';
import { referenceSchema, sha256Schema } from '../../contracts/reference.ts';
import {
  type CommittedCheckpoint,
  type CurrentRollout,
  currentRolloutSchema,
  type StageStatus,
  stageStatusSchema,
} from '../../contracts/stage-state.ts';
import { digestsSchema, fingerprintSchema } from '../../contracts/training.ts';
import type { Database, Queryable } from '../database/database.ts';
import { readRow, readRows } from '../database/rows.ts';
import { lastCheckpoint } from '../steps/checkpoints.ts';
import { policiesOf } from '../steps/policies.ts';
import { listAlarms } from './alarms.ts';
import { branchValues, currentBranch, rowsOfBranch } from './branches.ts';
import { listChanges } from './changes.ts';
import { readStagePlan } from './runs.ts';
import { listNumericsChanges, listVerifierChanges } from './version-changes.ts';

/**
 * A stage's position by its rows (rule 6): the last checkpoint, the log after it, and what the next step needs. All of
 * it is read in one snapshot.
 * @throws Failure 'InvalidInput' where there is no such stage; 'Contradiction' where the checkpoint that it starts from
 * is not settled yet.
 */
export async function readPosition(database: Database, key: StageKey): Promise<StagePosition> {
  return database.snapshot(async (reader) => {
    const branch = await currentBranch(reader, key);
    const stage = await readStage(reader, key);
    const checkpoint = (await lastCheckpoint(reader, branch)) ?? stage.initial;
    const last = await lastBatch(reader, branch);
    const recorded = await lastRecorded(reader, branch);
    const policies = await policiesOf(reader, branch);
    const logged = await batchesAfter(reader, branch, checkpoint.step);
    return {
      branch: branch.branch,
      status: stage.status,
      step: recorded?.step ?? 0,
      checkpoint,
      policy: policies.get(checkpoint.step),
      logged: logged.map((each) => ({ ...each, policy: policies.get(each.step) })),
      numerics: recorded?.numerics ?? null,
      cursor: last?.cursor ?? { pass: 0, position: 0 },
      rollout: last && currentRollout(last, stage.plan),
      changes: await listChanges(reader, branch),
      seams: await listNumericsChanges(reader, branch),
      verifierChanges: await listVerifierChanges(reader, branch),
      alarms: await listAlarms(reader, branch),
      evaluated: await evaluationsOf(reader, branch),
    };
  });
}

interface Stage {
  status: StageStatus;
  initial: CommittedCheckpoint;
  plan: StagePlan;
}

const stageSchema = z.object({
  status: stageStatusSchema,
  manifest: referenceSchema.nullable(),
  digests: digestsSchema.nullable(),
});

async function readStage(reader: Queryable, key: StageKey): Promise<Stage> {
  const plan = await readStagePlan(reader, key);
  const row = await readRow(
    reader,
    'stages',
    stageSchema,
    `SELECT status, initial_manifest AS manifest, initial_digests AS digests
     FROM stages WHERE run = $1 AND stage = $2`,
    [key.run, key.stage],
  );
  if (!row?.manifest || row.digests === null) throw originUnknown(key);
  return { status: row.status, initial: { step: 0, manifest: row.manifest, digests: row.digests }, plan };
}

const originUnknown = ({ run, stage }: StageKey) =>
  new Failure(
    'Contradiction',
    `${run}/${stage}: expected the checkpoint that it starts from, found none: is the stage before it complete?`,
  );

const lastBatchSchema = z.object({
  step: z.int(),
  /** the rollout that it was cut from; null for a supervised step */
  hand: currentRolloutSchema.nullable(),
  cursor: cursorSchema,
});
type LastBatch = z.infer<typeof lastBatchSchema>;

async function lastBatch(reader: Queryable, key: BranchKey): Promise<LastBatch | null> {
  const row = await readRow(
    reader,
    'batches',
    lastBatchSchema,
    `SELECT r.step, r.hand, r.cursor_after AS cursor ${rowsOfBranch('batches')} ORDER BY r.step DESC LIMIT 1`,
    branchValues(key),
  );
  return row ?? null;
}

async function lastRecorded(reader: Queryable, key: BranchKey) {
  return readRow(
    reader,
    'steps',
    z.object({ step: z.int(), numerics: numericsSchema }),
    `SELECT r.step, r.numerics ${rowsOfBranch('steps')} ORDER BY r.step DESC LIMIT 1`,
    branchValues(key),
  );
}

const loggedBatchSchema = z.object({
  step: z.int(),
  batch: referenceSchema,
  tokensSampled: z.int(),
  recorded: z
    .object({
      digestAfter: sha256Schema.nullable(),
      fingerprintAfter: fingerprintSchema.nullable(),
      numerics: numericsSchema,
    })
    .nullable(),
});

async function batchesAfter(reader: Queryable, key: BranchKey, step: number): Promise<LoggedBatch[]> {
  return readRows(
    reader,
    'batches and steps',
    loggedBatchSchema,
    `SELECT r.step, r.batch,
       CASE WHEN r.step = (r.hand ->> 'firstStep')::integer THEN (r.hand ->> 'tokensSampled')::integer ELSE 0 END
         AS "tokensSampled",
       CASE WHEN s.step IS NOT NULL THEN
       jsonb_build_object('digestAfter', s.digest_after, 'fingerprintAfter', s.fingerprint_after,
         'numerics', s.numerics) END AS recorded
     ${rowsOfBranch('batches')}
     LEFT JOIN steps s ON s.run = r.run AND s.stage = r.stage AND s.branch = r.branch AND s.step = r.step
     WHERE r.step > $4 ORDER BY r.step`,
    [...branchValues(key), step],
  );
}

/** The rollout that further steps are cut from; null once its last step, or the stage's last step, is logged. */
function currentRollout({ step, hand }: LastBatch, plan: StagePlan): CurrentRollout | null {
  if (plan.algorithm !== 'grpo') return null;
  const { options } = plan;
  return step < Math.min(rolloutOfStep(step, options).lastStep, options.max_steps) ? hand : null;
}

async function evaluationsOf(reader: Queryable, key: BranchKey): Promise<string[]> {
  const rows = await readRows(
    reader,
    'evaluations',
    z.object({ name: z.string() }),
    `SELECT e.stage || '@' || e.step AS name
     FROM evaluations e
     LEFT JOIN lineage($1, $2, $3) l ON e.branch = l.ancestor AND e.step <= l.up_to
     WHERE e.run = $1 AND (e.stage = 'base' OR e.stage LIKE 'student/%' OR e.stage = $2 AND l.ancestor IS NOT NULL)
     GROUP BY e.stage, e.step ORDER BY e.stage, e.step`,
    branchValues(key),
  );
  return rows.map(({ name }) => name);
}

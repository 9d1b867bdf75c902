import { rolloutOfStep } from '../../algorithm/rl/rollout-plan.ts';
import type { LoggedBatch, StagePosition } from '../../contracts/activities.ts';
import { Failure } from '../../contracts/failures.ts';
import type { BranchKey, StageKey } from '../../contracts/identity.ts';
import type { Numerics } from '../../contracts/numerics.ts';
import type { RunPlan, StagePlan } from '../../contracts/plan.ts';
import type { Cursor } from '../../contracts/records.ts';
import type { CommittedCheckpoint, CurrentRollout, StageStatus } from '../../contracts/stage-state.ts';
import type { Digests } from '../../contracts/training.ts';
import type { Database, Queryable } from '../database/database.ts';
import { listAlarms } from './alarms.ts';
import { currentBranch } from './branches.ts';
import { listChanges } from './changes.ts';
import { branchValues, rowsOfBranch } from './lineage.ts';
import { listNumericsChanges } from './numerics-changes.ts';
import { listVerifierChanges } from './verifiers.ts';

/**
 * Where a stage stands by the rows (rule 6): the last checkpoint, the log after it, and what the next step
 * needs to know. All of it from one and the same state of the rows.
 * @throws Failure 'InvalidInput' where there is no such stage, or it does not know yet where it starts.
 */
export async function readPosition(database: Database, key: StageKey): Promise<StagePosition> {
  return database.snapshot(async (reader) => {
    const branch = await currentBranch(reader, key);
    const stage = await readStage(reader, key);
    const checkpoint = (await lastCheckpoint(reader, branch)) ?? stage.initial;
    const last = await lastBatch(reader, branch);
    const recorded = await lastRecorded(reader, branch);
    return {
      branch: branch.branch,
      status: stage.status,
      step: recorded?.step ?? 0,
      checkpoint,
      logged: await batchesAfter(reader, branch, checkpoint.step),
      numerics: recorded?.numerics ?? null,
      cursor: last?.cursor ?? { pass: 0, position: 0 },
      rollout: last && rolloutStillInHand(last, stage.plan),
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

async function readStage(reader: Queryable, { run, stage }: StageKey): Promise<Stage> {
  const [row] = await reader.query<{
    status: StageStatus;
    manifest: CommittedCheckpoint['manifest'] | null;
    digests: Digests | null;
    plan: RunPlan;
  }>(
    `SELECT s.status, s.initial_manifest AS manifest, s.initial_digests AS digests, r.plan
     FROM stages s JOIN runs r USING (run) WHERE s.run = $1 AND s.stage = $2`,
    [run, stage],
  );
  const plan = row?.plan.stages.find((candidate) => candidate.stage === stage);
  if (row === undefined || plan === undefined) {
    throw new Failure('InvalidInput', `run "${run}": expected a plan of the stage "${stage}", found none`);
  }
  const { status, manifest, digests } = row;
  if (manifest === null || digests === null) throw originUnknown({ run, stage });
  return { status, initial: { step: 0, manifest, digests }, plan };
}

const originUnknown = ({ run, stage }: StageKey) =>
  new Failure(
    'Contradiction',
    `${run}/${stage}: expected the checkpoint that it starts from, found none: is the stage before it complete?`,
  );

export async function lastCheckpoint(
  reader: Queryable,
  key: BranchKey,
): Promise<CommittedCheckpoint | undefined> {
  const [row] = await reader.query<CommittedCheckpoint>(
    `SELECT r.step, r.manifest, r.digests ${rowsOfBranch('checkpoints')} ORDER BY r.step DESC LIMIT 1`,
    branchValues(key),
  );
  return row;
}

interface LastBatch {
  step: number;
  /** null for a supervised step */
  hand: CurrentRollout | null;
  cursor: Cursor;
}

async function lastBatch(reader: Queryable, key: BranchKey): Promise<LastBatch | null> {
  const [row] = await reader.query<LastBatch>(
    `SELECT r.step, r.hand, r.cursor_after AS cursor ${rowsOfBranch('batches')} ORDER BY r.step DESC LIMIT 1`,
    branchValues(key),
  );
  return row ?? null;
}

async function lastRecorded(
  reader: Queryable,
  key: BranchKey,
): Promise<{ step: number; numerics: Numerics } | undefined> {
  const [row] = await reader.query<{ step: number; numerics: Numerics }>(
    `SELECT r.step, r.numerics ${rowsOfBranch('steps')} ORDER BY r.step DESC LIMIT 1`,
    branchValues(key),
  );
  return row;
}

async function batchesAfter(reader: Queryable, key: BranchKey, step: number): Promise<LoggedBatch[]> {
  return reader.query<LoggedBatch>(
    `SELECT r.step, r.batch,
       CASE WHEN r.step = (r.hand ->> 'firstStep')::integer THEN (r.hand ->> 'tokensSampled')::integer ELSE 0 END
         AS "tokensSampled",
       CASE WHEN s.step IS NOT NULL THEN
       jsonb_build_object('digestAfter', s.digest_after, 'numerics', s.numerics) END AS recorded
     ${rowsOfBranch('batches')}
     LEFT JOIN steps s ON s.run = r.run AND s.stage = r.stage AND s.branch = r.branch AND s.step = r.step
     WHERE r.step > $4 ORDER BY r.step`,
    [...branchValues(key), step],
  );
}

/** A rollout is in hand until its last step, or the stage's, is logged. */
function rolloutStillInHand({ step, hand }: LastBatch, plan: StagePlan): CurrentRollout | null {
  if (plan.algorithm !== 'grpo') return null;
  const { options } = plan;
  return step < Math.min(rolloutOfStep(step, options).lastStep, options.max_steps) ? hand : null;
}

async function evaluationsOf(reader: Queryable, key: BranchKey): Promise<string[]> {
  const rows = await reader.query<{ name: string }>(
    `SELECT e.stage || '@' || e.step AS name
     FROM evaluations e
     LEFT JOIN lineage($1, $2, $3) l ON e.branch = l.ancestor AND e.step <= l.up_to
     WHERE e.run = $1 AND (e.stage = 'base' OR e.stage LIKE 'student/%' OR e.stage = $2 AND l.ancestor IS NOT NULL)
     GROUP BY e.stage, e.step ORDER BY e.stage, e.step`,
    branchValues(key),
  );
  return rows.map(({ name }) => name);
}

import { z } from 'zod';
import { type Crossing, raisedByEvaluation, raisedByStep, rowsWatched } from '../../algorithm/run/alarms.ts';
import { type AlarmRule, type RaisedAlarm, raisedAlarmSchema } from '../../contracts/alarms.ts';
import type { BranchKey, StepKey } from '../../contracts/identity.ts';
import type { Queryable, Transaction } from '../database/database.ts';
import { insertRow, readRows } from '../database/rows.ts';
import { branchValues, rowsOfBranch } from './branches.ts';

/** Steps over whose reward an evaluation is compared with another. */
const REWARD_STEPS = 5;

const COLUMNS = `a.stage, a.branch, a.step, a.alarm AS name, a.value, a.threshold, a.action, a.text`;

const optionalFigure = z.number().nullable();

const watchedStepSchema = z.object({
  kl: optionalFigure,
  entropy: optionalFigure,
  zeroVarianceShare: optionalFigure,
  truncatedShare: optionalFigure,
  emptyThinkingShare: optionalFigure,
  errorShare: optionalFigure,
});

/** Raises the alarms of a step. Called in the transaction that records the step. */
export async function watchStep(tx: Transaction, key: StepKey, rules: readonly AlarmRule[]): Promise<void> {
  const steps = await readRows(
    tx,
    'steps and batches',
    watchedStepSchema,
    `SELECT * FROM (
       SELECT r.step, r.kl, r.entropy, b.zero_variance_share AS "zeroVarianceShare",
         b.truncated_share AS "truncatedShare", b.empty_thinking_share AS "emptyThinkingShare",
         b.error_share AS "errorShare"
       ${rowsOfBranch('steps')} JOIN batches b USING (run, stage, branch, step)
       WHERE r.step <= $4 ORDER BY r.step DESC LIMIT $5
     ) last ORDER BY step`,
    [...branchValues(key), key.step, rowsWatched('steps', rules)],
  );
  await insert(tx, key, raisedByStep(steps, rules));
}

const watchedEvaluationSchema = z.object({
  passAt1: z.number(),
  languageConsistency: optionalFigure,
  reward: optionalFigure,
});

/** Raises the alarms of an evaluation. Called in the transaction that records the evaluation. */
export async function watchEvaluation(
  tx: Transaction,
  key: StepKey,
  rules: readonly AlarmRule[],
): Promise<void> {
  const evaluations = await readRows(
    tx,
    'evaluations and batches',
    watchedEvaluationSchema,
    `SELECT * FROM (
       SELECT e.step, e.recorded_at, e.pass_at_1 AS "passAt1", e.language_consistency AS "languageConsistency", before.reward
       FROM lineage($1, $2, $3) l
       JOIN evaluations e ON e.run = $1 AND e.stage = $2 AND e.branch = l.ancestor AND e.step <= l.up_to
       CROSS JOIN LATERAL (
         SELECT avg(s.reward) AS reward FROM (
           SELECT b.reward FROM lineage($1, $2, $3) o
           JOIN batches b ON b.run = $1 AND b.stage = $2 AND b.branch = o.ancestor AND b.step <= o.up_to
           WHERE b.step <= e.step ORDER BY b.step DESC LIMIT ${REWARD_STEPS}
         ) s
       ) before
       WHERE e.step <= $4 ORDER BY e.step DESC, e.recorded_at DESC LIMIT $5
     ) last ORDER BY step, recorded_at`,
    [...branchValues(key), key.step, rowsWatched('evaluations', rules)],
  );
  await insert(tx, key, raisedByEvaluation(evaluations, rules));
}

async function insert(tx: Transaction, key: StepKey, raised: readonly Crossing[]): Promise<void> {
  for (const { rule, value, text } of raised) {
    const { run, stage, branch, step } = key;
    const { name: alarm, threshold, action } = rule;
    const row = { run, stage, branch, step, alarm, value, threshold, action, text };
    await insertRow(tx, 'alarms', row, { onConflict: 'nothing' });
  }
}

/** The alarms raised at a step of a branch. */
export async function alarmsAt(reader: Queryable, key: StepKey): Promise<RaisedAlarm[]> {
  return readRows(
    reader,
    'alarms',
    raisedAlarmSchema,
    `SELECT ${COLUMNS} FROM alarms a WHERE run = $1 AND stage = $2 AND branch = $3 AND step = $4 ORDER BY alarm`,
    [...branchValues(key), key.step],
  );
}

/** The alarms of a branch, ancestors' included, by step. */
export async function listAlarms(reader: Queryable, key: BranchKey): Promise<RaisedAlarm[]> {
  return readRows(
    reader,
    'alarms',
    raisedAlarmSchema,
    `SELECT ${COLUMNS} FROM lineage($1, $2, $3) l
     JOIN alarms a ON a.run = $1 AND a.stage = $2 AND a.branch = l.ancestor AND a.step <= l.up_to
     ORDER BY a.step, a.alarm`,
    branchValues(key),
  );
}

/** The alarms of each stage's current branch, by stage and step. */
export async function listRunAlarms(reader: Queryable, run: string): Promise<RaisedAlarm[]> {
  return readRows(
    reader,
    'alarms',
    raisedAlarmSchema,
    `SELECT ${COLUMNS} FROM stages st
     CROSS JOIN LATERAL lineage(st.run, st.stage, st.branch) l
     JOIN alarms a ON a.run = st.run AND a.stage = st.stage AND a.branch = l.ancestor AND a.step <= l.up_to
     WHERE st.run = $1 ORDER BY st.position, a.step, a.alarm`,
    [run],
  );
}

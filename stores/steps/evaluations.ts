import { wilsonInterval } from '../../algorithm/evaluation/statistics.ts';
import type {
  EvaluationSummary,
  RecordEvaluationInput,
  VerifierVersions,
} from '../../contracts/activities.ts';
import type { AlarmRule } from '../../contracts/alarms.ts';
import type { EvaluationDocument } from '../../contracts/documents.ts';
import { Failure } from '../../contracts/failures.ts';
import type { Reference } from '../../contracts/reference.ts';
import type { Database, Queryable, Transaction } from '../database/database.ts';
import { json } from '../database/json.ts';
import { watchEvaluation } from '../runs/alarms.ts';
import { currentBranch } from '../runs/branches.ts';

export interface NewEvaluation extends RecordEvaluationInput {
  figures: EvaluationSummary;
  /** reward → version of the verifier that judged */
  verifiers: VerifierVersions;
  /** what is watched for */
  alarms: readonly AlarmRule[];
}

/** An evaluation's row. */
export interface CommittedEvaluation extends EvaluationDocument {
  branch: number;
  quick: boolean;
  rollout: Reference;
  scores: Reference;
  checkpoint: Reference | null;
}

const COLUMNS = `stage, branch, step, quick, problems, k, pass_at_1 AS "passAt1", pass_at_1_low AS low,
  pass_at_1_high AS high, cons_at_k AS "consAtK", format_rate AS "formatRate", mean_length AS "meanLength",
  reflection_rate AS "reflectionRate", pass_at_k AS "passAtK", by_domain AS "byDomain",
  general_ability AS "generalAbility", language_consistency AS "languageConsistency", rollout, scores, checkpoint`;

interface Row extends Omit<CommittedEvaluation, 'passAt1Interval' | 'passAtKInterval' | 'consAtKInterval'> {
  low: number;
  high: number;
}
const fromRow = ({ low, high, ...row }: Row): CommittedEvaluation => ({
  ...row,
  passAt1Interval: [low, high],
  passAtKInterval: row.passAtK === null ? null : wilsonInterval(row.passAtK, row.problems),
  consAtKInterval: wilsonInterval(row.consAtK, row.problems),
});

/**
 * Commits an evaluation of the stage's current branch, and the alarms that it raises. The same one committed again is no error.
 * @throws Failure 'Contradiction' where another rollout or other scores are committed for it.
 */
export async function recordEvaluation(
  database: Database,
  evaluation: NewEvaluation,
): Promise<CommittedEvaluation> {
  const { key, as, step, alarms } = evaluation;
  return database.transaction(async (tx) => {
    const branch = as !== key.stage ? 0 : (await currentBranch(tx, key)).branch;
    const inserted = await insertEvaluation(tx, evaluation, branch);
    if (inserted === undefined) return sameEvaluation(tx, evaluation, branch);
    if (as === key.stage) await watchEvaluation(tx, { ...key, branch, step }, alarms);
    return inserted;
  });
}

async function insertEvaluation(
  tx: Transaction,
  { key, as, step, quick, figures, rollout, scores, checkpoint, spent, verifiers }: NewEvaluation,
  branch: number,
): Promise<CommittedEvaluation | undefined> {
  const [row] = await tx.query<Row>(
    `INSERT INTO evaluations (run, stage, branch, step, quick, problems, k, pass_at_1, pass_at_1_low, pass_at_1_high,
       cons_at_k, format_rate, mean_length, reflection_rate, rollout, scores, checkpoint, pass_at_k, by_domain, general_ability,
       language_consistency, measured_by, tokens_sampled, seconds_sampling, seconds_scoring, verifiers)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26)
     ON CONFLICT DO NOTHING RETURNING ${COLUMNS}`,
    [
      key.run,
      as,
      branch,
      step,
      quick,
      figures.problems,
      figures.k,
      figures.passAt1,
      ...figures.passAt1Interval,
      figures.consAtK,
      figures.formatRate,
      figures.meanLength,
      figures.reflectionRate,
      json(rollout),
      json(scores),
      checkpoint && json(checkpoint),
      figures.passAtK,
      json(figures.byDomain),
      figures.generalAbility,
      figures.languageConsistency,
      key.stage,
      spent?.tokensSampled,
      spent?.sampling,
      spent?.scoring,
      json(verifiers),
    ],
  );
  return row && fromRow(row);
}

async function sameEvaluation(
  tx: Transaction,
  { key, as, step, quick, rollout, scores }: NewEvaluation,
  branch: number,
): Promise<CommittedEvaluation> {
  const [row] = await tx.query<Row>(
    `SELECT ${COLUMNS} FROM evaluations WHERE run = $1 AND stage = $2 AND branch = $3 AND step = $4 AND quick = $5`,
    [key.run, as, branch, step, quick],
  );
  // A model that several stages start from is measured once: whose row came first stands.
  if (row !== undefined && as !== key.stage) return fromRow(row);
  if (row?.rollout.sha256 === rollout.sha256 && row.scores.sha256 === scores.sha256) return fromRow(row);
  throw new Failure(
    'Contradiction',
    `evaluation of ${key.run}/${as} step ${step}: expected ${row?.rollout.uri} and ${row?.scores.uri}, ` +
      `found ${rollout.uri} and ${scores.uri}. Nothing was written; the committed one stands.`,
  );
}

export interface EvaluationFilter {
  /** also the quick ones */
  quick?: boolean;
  /** `current`: only those of each stage's current line, ancestors' included */
  branches?: 'current' | 'all';
}

/** A run's evaluations in the order in which they were made. */
export async function listEvaluations(
  reader: Queryable,
  run: string,
  { quick = false, branches = 'all' }: EvaluationFilter = {},
): Promise<CommittedEvaluation[]> {
  const rows = await reader.query<Row>(
    `SELECT ${COLUMNS} FROM evaluations e WHERE run = $1 AND (NOT quick OR $2)
       AND ($3 OR NOT EXISTS (SELECT FROM stages st WHERE st.run = e.run AND st.stage = e.stage) OR EXISTS (
         SELECT FROM stages st CROSS JOIN LATERAL lineage(st.run, st.stage, st.branch) l
         WHERE st.run = e.run AND st.stage = e.stage AND l.ancestor = e.branch AND e.step <= l.up_to))
     ORDER BY recorded_at, step`,
    [run, quick, branches === 'all'],
  );
  return rows.map(fromRow);
}

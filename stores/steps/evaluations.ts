import { z } from 'zod';
import { wilsonInterval } from '../../algorithm/evaluation/statistics.ts';
import type {
  EvaluationSummary,
  RecordEvaluationInput,
  VerifierVersions,
} from '../../contracts/activities.ts';
import type { AlarmRule } from '../../contracts/alarms.ts';
import { figure } from '../../contracts/bounds.ts';
import { evaluationDocument } from '../../contracts/documents.ts';
import { Failure } from '../../contracts/failures.ts';
import { type Reference, referenceSchema } from '../../contracts/reference.ts';
import type { Database, Queryable, Transaction } from '../database/database.ts';
import { insertRow, parseRows, readRow, readRows } from '../database/rows.ts';
import { watchEvaluation } from '../runs/alarms.ts';
import { currentBranch } from '../runs/branches.ts';

export interface NewEvaluation extends Omit<RecordEvaluationInput, 'shards' | 'rollout' | 'scores'> {
  /** the index of its shards */
  rollout: Reference;
  scores: Reference;
  figures: EvaluationSummary;
  /** reward → version of the verifier that judged */
  verifiers: VerifierVersions;
  /** the alarms that it may raise */
  alarms: readonly AlarmRule[];
}

/** An evaluation's row. The intervals of passAtK and consAtK are computed from it. */
const rowSchema = evaluationDocument
  .omit({ passAt1Interval: true, passAtKInterval: true, consAtKInterval: true })
  .extend({
    low: figure,
    high: figure,
    branch: z.int(),
    quick: z.boolean(),
    rollout: referenceSchema,
    scores: referenceSchema,
    checkpoint: referenceSchema.nullable(),
  });
type Row = z.infer<typeof rowSchema>;

export type CommittedEvaluation = ReturnType<typeof fromRow>;

const COLUMNS = `stage, branch, step, quick, problems, k, pass_at_1 AS "passAt1", pass_at_1_low AS low,
  pass_at_1_high AS high, cons_at_k AS "consAtK", format_rate AS "formatRate", mean_length AS "meanLength",
  reflection_rate AS "reflectionRate", pass_at_k AS "passAtK", by_domain AS "byDomain",
  general_ability AS "generalAbility", language_consistency AS "languageConsistency", rollout, scores, checkpoint`;

const fromRow = ({ low, high, ...row }: Row) => ({
  ...row,
  passAt1Interval: [low, high] as [number, number],
  passAtKInterval: row.passAtK === null ? null : wilsonInterval(row.passAtK, row.problems),
  consAtKInterval: wilsonInterval(row.consAtK, row.problems),
});

/**
 * Commits an evaluation of the stage's current branch, and the alarms that it raises. Committing the same one again is
 * not an error.
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
  const inserted = await insertRow(
    tx,
    'evaluations',
    {
      run: key.run,
      stage: as,
      branch,
      step,
      quick,
      problems: figures.problems,
      k: figures.k,
      pass_at_1: figures.passAt1,
      pass_at_1_low: figures.passAt1Interval[0],
      pass_at_1_high: figures.passAt1Interval[1],
      cons_at_k: figures.consAtK,
      format_rate: figures.formatRate,
      mean_length: figures.meanLength,
      reflection_rate: figures.reflectionRate,
      rollout,
      scores,
      checkpoint,
      pass_at_k: figures.passAtK,
      by_domain: figures.byDomain,
      general_ability: figures.generalAbility,
      language_consistency: figures.languageConsistency,
      measured_by: key.stage,
      tokens_sampled: spent?.tokensSampled,
      seconds_sampling: spent?.sampling,
      seconds_scoring: spent?.scoring,
      verifiers,
    },
    { onConflict: 'nothing', returning: COLUMNS },
  );
  return parseRows('evaluations', rowSchema, inserted).map(fromRow)[0];
}

async function sameEvaluation(
  tx: Transaction,
  { key, as, step, quick, rollout, scores }: NewEvaluation,
  branch: number,
): Promise<CommittedEvaluation> {
  const row = await readRow(
    tx,
    'evaluations',
    rowSchema,
    `SELECT ${COLUMNS} FROM evaluations WHERE run = $1 AND stage = $2 AND branch = $3 AND step = $4 AND quick = $5`,
    [key.run, as, branch, step, quick],
  );
  // A model that several stages start from is measured once: the first row stays.
  if (row !== undefined && as !== key.stage) return fromRow(row);
  if (row?.rollout.sha256 === rollout.sha256 && row.scores.sha256 === scores.sha256) return fromRow(row);
  throw new Failure(
    'Contradiction',
    `evaluation of ${key.run}/${as} step ${step}: expected ${row?.rollout.uri} and ${row?.scores.uri}, ` +
      `found ${rollout.uri} and ${scores.uri}. Nothing was written; the committed one stays.`,
  );
}

export interface EvaluationFilter {
  /** also the quick ones */
  quick?: boolean;
  /** `current`: only those of each stage's current branch, ancestors' included */
  branches?: 'current' | 'all';
}

/** A run's evaluations in the order in which they were made. */
export async function listEvaluations(
  reader: Queryable,
  run: string,
  { quick = false, branches = 'all' }: EvaluationFilter = {},
): Promise<CommittedEvaluation[]> {
  const rows = await readRows(
    reader,
    'evaluations',
    rowSchema,
    `SELECT ${COLUMNS} FROM evaluations e WHERE run = $1 AND (NOT quick OR $2)
       AND ($3 OR NOT EXISTS (SELECT FROM stages st WHERE st.run = e.run AND st.stage = e.stage) OR EXISTS (
         SELECT FROM stages st CROSS JOIN LATERAL lineage(st.run, st.stage, st.branch) l
         WHERE st.run = e.run AND st.stage = e.stage AND l.ancestor = e.branch AND e.step <= l.up_to))
     ORDER BY recorded_at, step`,
    [run, quick, branches === 'all'],
  );
  return rows.map(fromRow);
}

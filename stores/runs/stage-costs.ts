import { z } from 'zod';
import type { Queryable } from '../database/database.ts';
import { readRows } from '../database/rows.ts';

const stageCostSchema = z.object({
  stage: z.string(),
  /** from its first start to its end, or to now; null before it starts */
  wallSeconds: z.number().nullable(),
  /** seconds of workers for steps and examples; log-probabilities count as training */
  sampling: z.number(),
  scoring: z.number(),
  training: z.number(),
  /** seconds of workers for sampling and scoring evaluations, and for writing checkpoints */
  evaluating: z.number(),
  saving: z.number(),
  /** wall seconds of steps outside the above */
  other: z.number(),
  /** for steps and examples */
  tokensSampled: z.number(),
  tokensForExamples: z.number(),
  tokensEvaluated: z.number(),
  tokensTrained: z.number(),
});
/** The cost of a stage by its rows, all of its branches together. */
export type StageCost = z.infer<typeof stageCostSchema>;

/** The costs of a run's stages, in the recipe's order. */
export async function listStageCosts(reader: Queryable, run: string): Promise<StageCost[]> {
  return readRows(
    reader,
    'stages',
    stageCostSchema,
    `SELECT st.stage,
       extract(epoch FROM coalesce(st.finished_at, now()) - st.started_at)::double precision AS "wallSeconds",
       s.sampling + p.sampling AS sampling, s.scoring + p.scoring AS scoring, s.training,
       ev.seconds AS evaluating, c.seconds AS saving, s.other, s.sampled + e.tokens AS "tokensSampled",
       e.tokens AS "tokensForExamples", ev.tokens AS "tokensEvaluated", s.trained AS "tokensTrained"
     FROM stages st
     CROSS JOIN LATERAL (
       SELECT coalesce(sum(seconds_sampling), 0) AS sampling, coalesce(sum(seconds_scoring), 0) AS scoring,
         coalesce(sum(seconds_training + seconds_logprobs), 0) AS training, coalesce(sum(seconds_other), 0) AS other,
         coalesce(sum(tokens_sampled), 0)::double precision AS sampled,
         coalesce(sum(tokens_trained), 0)::double precision AS trained
       FROM steps WHERE run = st.run AND stage = st.stage
     ) s
     CROSS JOIN LATERAL (
       SELECT coalesce(sum(seconds_sampling), 0) AS sampling, coalesce(sum(seconds_scoring), 0) AS scoring
       FROM sample_parts WHERE run = st.run AND stage = st.stage
     ) p
     CROSS JOIN LATERAL (
       SELECT coalesce(sum(x.tokens), 0)::double precision AS tokens
       FROM sample_parts p JOIN samples x ON x.part = p.id WHERE p.run = st.run AND p.stage = st.stage
     ) e
     CROSS JOIN LATERAL (
       SELECT coalesce(sum(tokens_sampled), 0)::double precision AS tokens,
         coalesce(sum(seconds_sampling + seconds_scoring), 0) AS seconds
       FROM evaluations WHERE run = st.run AND coalesce(measured_by, stage) = st.stage
     ) ev
     CROSS JOIN LATERAL (
       SELECT coalesce(sum(seconds_saving), 0) AS seconds FROM (
         SELECT run, stage, seconds_saving FROM checkpoints
         UNION ALL SELECT run, stage, seconds_saving FROM deleted_checkpoints
       ) saved WHERE run = st.run AND stage = st.stage
     ) c
     WHERE st.run = $1 ORDER BY st.position`,
    [run],
  );
}

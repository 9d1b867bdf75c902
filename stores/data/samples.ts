import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import {
  type RejectionReason,
  rejectionReasonSchema,
  type SampleCounts,
  type SampleVerdict,
  type SelectionRule,
  type SelectSamplesInput,
  sampleCountsSchema,
  sampleVerdictSchema,
  selectionRuleSchema,
  type TextLocation,
  textLocationSchema,
} from '../../contracts/datasets.ts';
import { Failure } from '../../contracts/failures.ts';
import type { BranchKey, StageKey } from '../../contracts/identity.ts';
import { type Reference, referenceSchema, seedSchema, sha256Schema } from '../../contracts/reference.ts';
import type { Database, Queryable, Transaction } from '../database/database.ts';
import { asStored, insertRow, insertRows, json, parseRows, readRow, readRows } from '../database/rows.ts';
import { shardId } from '../objects/texts.ts';
import { branchName, branchValues, lockCurrentBranch } from '../runs/branches.ts';

/** A completion, accepted or rejected. */
export interface NewSample {
  /** its position in the rollout */
  sequence: number;
  prompt: string;
  /** 64 bits, decimal */
  seed: string;
  tokens: number;
  truncated: boolean;
  rewards: Record<string, SampleVerdict>;
  /** null: accepted */
  reason: RejectionReason | null;
  text: Omit<TextLocation, 'object'>;
}

export interface NewPart extends SelectSamplesInput {
  /** the object with its texts */
  shard: Reference;
  counts: SampleCounts;
  samples: readonly NewSample[];
}

const samplePartSchema = z.object({
  id: z.int(),
  part: z.int(),
  rollout: referenceSchema,
  scores: referenceSchema,
  /** the stage whose policy sampled */
  sourceStage: z.string(),
  /** manifest of that policy's checkpoint */
  checkpoint: referenceSchema,
  /** digest of its weights */
  policy: sha256Schema,
  rule: asStored<SelectionRule>(selectionRuleSchema),
  counts: sampleCountsSchema,
});
/** A committed part, without its samples. */
export type SamplePart = z.infer<typeof samplePartSchema>;

const PART = `p.id, p.part, p.rollout, p.scores, p.source_stage AS "sourceStage", p.checkpoint, p.policy, p.rule, p.counts`;

/**
 * The committed part; null where it is not committed yet.
 * @throws Failure 'Contradiction' where it was made of another rollout, of other scores, or by another rule.
 */
export async function findPart(reader: Queryable, input: SelectSamplesInput): Promise<SamplePart | null> {
  const { key, part } = input;
  const found = await readRow(
    reader,
    'sample_parts',
    samplePartSchema,
    `SELECT ${PART} FROM sample_parts p WHERE p.run = $1 AND p.stage = $2 AND p.branch = $3 AND p.part = $4`,
    [...branchValues(key), part],
  );
  if (found === undefined) return null;
  refuseOther(input, found);
  return found;
}

function refuseOther({ key, part, rollout, scores, from, rule }: SelectSamplesInput, found: SamplePart) {
  const differing = [
    found.rollout.sha256 === rollout.sha256 ? [] : [`rollout ${found.rollout.uri}, found ${rollout.uri}`],
    found.scores.sha256 === scores.sha256 ? [] : [`scores ${found.scores.uri}, found ${scores.uri}`],
    found.policy === from.checkpoint.digests.weights
      ? []
      : [`policy ${found.policy}, found ${from.checkpoint.digests.weights}`],
    isDeepStrictEqual(found.rule, rule) ? [] : [`rule ${json(found.rule)}, found ${json(rule)}`],
  ].flat();
  if (differing.length === 0) return;
  throw new Failure(
    'Contradiction',
    `${branchName(key)}: part ${part} of its samples is committed with other content: expected ${differing.join('; ')}. ` +
      'Nothing was written; the committed samples stay.',
  );
}

/**
 * Commits a part and all its samples, or nothing. Committing the same part again is not an error. The branch is locked:
 * two transactions that commit one part do so one after the other.
 * @throws Failure 'SupersededTerm' where the stage continues as another branch; 'Contradiction' as `findPart`.
 */
export async function commitPart(database: Database, part: NewPart): Promise<SampleCounts> {
  return database.transaction(async (tx) => {
    await lockCurrentBranch(tx, part.key);
    const before = await findPart(tx, part);
    if (before !== null) return before.counts;
    await insertSamples(tx, await insertPart(tx, part), part.samples);
    return part.counts;
  });
}

async function insertPart(tx: Transaction, part: NewPart): Promise<number> {
  const { key, rollout, scores, from, rule, shard, counts, spent } = part;
  const inserted = await insertRow(
    tx,
    'sample_parts',
    {
      run: key.run,
      stage: key.stage,
      branch: key.branch,
      part: part.part,
      rollout,
      scores,
      source_stage: from.stage,
      checkpoint: from.checkpoint.manifest,
      policy: from.checkpoint.digests.weights,
      rule,
      shard: await shardId(tx, shard),
      counts,
      seconds_sampling: spent?.sampling,
      seconds_scoring: spent?.scoring,
    },
    { returning: 'id' },
  );
  const [row] = parseRows('sample_parts', z.object({ id: z.int() }), inserted);
  if (row === undefined) throw new Error('expected the new part’s row, found none');
  return row.id;
}

async function insertSamples(tx: Transaction, part: number, samples: readonly NewSample[]): Promise<void> {
  const rows = samples.map(({ sequence, prompt, seed, tokens, truncated, rewards, reason, text }) => ({
    sequence,
    prompt,
    seed,
    tokens,
    truncated,
    rewards,
    reason,
    text_offset: text.offset,
    text_length: text.length,
    text_sha256: text.sha256,
  }));
  await insertRows(tx, 'samples', { part }, rows);
}

/** The committed parts of a branch, in order. */
export async function listParts(reader: Queryable, key: BranchKey): Promise<SamplePart[]> {
  return readRows(
    reader,
    'sample_parts',
    samplePartSchema,
    `SELECT ${PART} FROM sample_parts p WHERE p.run = $1 AND p.stage = $2 AND p.branch = $3 ORDER BY p.part`,
    branchValues(key),
  );
}

/** The committed parts of the last branch that has any: a rewound stage keeps the data set that it built before. */
export async function listLastParts(reader: Queryable, { run, stage }: StageKey): Promise<SamplePart[]> {
  return readRows(
    reader,
    'sample_parts',
    samplePartSchema,
    `SELECT ${PART} FROM sample_parts p WHERE p.run = $1 AND p.stage = $2
       AND p.branch = (SELECT max(branch) FROM sample_parts WHERE run = $1 AND stage = $2)
     ORDER BY p.part`,
    [run, stage],
  );
}

export interface SampleFilter {
  /** null: all stages */
  stage?: string | null;
  /** only rejected samples */
  rejected?: boolean;
  /** only samples rejected for this reason */
  reason?: RejectionReason | null;
}

/** Parameters $1 to $4. */
const MATCHING = `p.run = $1 AND ($2::text IS NULL OR p.stage = $2)
  AND (NOT $3 OR s.reason IS NOT NULL) AND ($4::text IS NULL OR s.reason = $4)`;

const matchingValues = (run: string, { stage = null, rejected = false, reason = null }: SampleFilter) => [
  run,
  stage,
  rejected,
  reason,
];

/** How many samples of a run there are. */
export async function countSamples(reader: Queryable, run: string, filter: SampleFilter): Promise<number> {
  const row = await readRow(
    reader,
    'samples',
    z.object({ samples: z.int() }),
    `SELECT count(*) AS samples FROM sample_parts p JOIN samples s ON s.part = p.id WHERE ${MATCHING}`,
    matchingValues(run, filter),
  );
  return row?.samples ?? 0;
}

const sampleRowSchema = z.object({
  stage: z.string(),
  branch: z.int(),
  part: z.int(),
  sequence: z.int(),
  prompt: sha256Schema,
  problem: z.string(),
  domain: z.string(),
  sourceStage: z.string(),
  /** URI of the manifest */
  checkpoint: z.string(),
  policy: sha256Schema,
  seed: seedSchema,
  tokens: z.int(),
  truncated: z.boolean(),
  rewards: z.record(z.string(), sampleVerdictSchema),
  reason: rejectionReasonSchema.nullable(),
  text: textLocationSchema,
});
/** A sample's row, and the problem that it answers. */
export type SampleRow = z.infer<typeof sampleRowSchema>;

/** A run's samples in the order of stages, parts and sequences, at most `limit`. */
export async function listSamples(
  reader: Queryable,
  run: string,
  { limit, ...filter }: SampleFilter & { limit: number },
): Promise<SampleRow[]> {
  return readRows(
    reader,
    'samples',
    sampleRowSchema,
    `SELECT p.stage, p.branch, p.part, s.sequence, s.prompt, pr.problem, pr.domain, p.source_stage AS "sourceStage",
       p.checkpoint ->> 'uri' AS checkpoint, p.policy, s.seed::text AS seed, s.tokens, s.truncated, s.rewards, s.reason,
       jsonb_build_object('object', t.object, 'offset', s.text_offset, 'length', s.text_length, 'sha256', s.text_sha256) AS text
     FROM sample_parts p
     JOIN stages st ON st.run = p.run AND st.stage = p.stage
     JOIN samples s ON s.part = p.id
     JOIN prompts pr ON pr.hash = s.prompt
     JOIN text_shards t ON t.id = p.shard
     WHERE ${MATCHING}
     ORDER BY st.position, p.branch, p.part, s.sequence LIMIT $5`,
    [...matchingValues(run, filter), limit],
  );
}

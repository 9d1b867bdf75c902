import { isDeepStrictEqual } from 'node:util';
import type {
  RejectionReason,
  SampleCounts,
  SampleVerdict,
  SelectionRule,
  SelectSamplesInput,
  TextLocation,
} from '../../contracts/datasets.ts';
import { Failure } from '../../contracts/failures.ts';
import type { BranchKey, StageKey } from '../../contracts/identity.ts';
import type { Reference } from '../../contracts/reference.ts';
import type { Database, Queryable, Transaction } from '../database/database.ts';
import { json } from '../database/json.ts';
import { shardId } from '../objects/texts.ts';
import { branchName, lockBranch } from '../runs/branches.ts';
import { branchValues } from '../runs/lineage.ts';

/** A completion and what became of it. */
export interface NewSample {
  /** place in the rollout */
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
  /** where its texts lie */
  shard: Reference;
  counts: SampleCounts;
  samples: readonly NewSample[];
}

/** A committed part, without its samples. */
export interface SamplePart {
  id: number;
  part: number;
  rollout: Reference;
  scores: Reference;
  sourceStage: string;
  checkpoint: Reference;
  policy: string;
  rule: SelectionRule;
  counts: SampleCounts;
}

const PART = `p.id, p.part, p.rollout, p.scores, p.source_stage AS "sourceStage", p.checkpoint, p.policy, p.rule, p.counts`;

/**
 * What was committed for a part before; null where nothing was.
 * @throws Failure 'Contradiction' where it was made of another rollout, of other scores, or by another rule.
 */
export async function findPart(reader: Queryable, input: SelectSamplesInput): Promise<SamplePart | null> {
  const { key, part } = input;
  const [found] = await reader.query<SamplePart>(
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
    `${branchName(key)}: part ${part} of its samples is committed otherwise: expected ${differing.join('; ')}. ` +
      'Nothing was written; the committed samples stand.',
  );
}

/**
 * Commits a part and all its samples, or nothing. Committed before, it is no error.
 * @throws Failure 'SupersededTerm' where the stage goes on as another branch; 'Contradiction' as `findPart`.
 */
export async function commitPart(database: Database, part: NewPart): Promise<SampleCounts> {
  return database.transaction(async (tx) => {
    await refuseOldBranch(tx, part.key);
    const before = await findPart(tx, part);
    if (before !== null) return before.counts;
    await insertSamples(tx, await insertPart(tx, part), part.samples);
    return part.counts;
  });
}

/** Locks the branch until the transaction ends: two that commit one part do so one after the other. */
export async function refuseOldBranch(tx: Transaction, key: BranchKey): Promise<void> {
  const { current } = await lockBranch(tx, key);
  if (current === key.branch) return;
  throw new Failure(
    'SupersededTerm',
    `${branchName(key)}: the stage was rewound and goes on as branch ${current}. ` +
      'Nothing was written; old branches can only be read.',
  );
}

async function insertPart(tx: Transaction, part: NewPart): Promise<number> {
  const { key, rollout, scores, from, rule, shard, counts, spent } = part;
  const [row] = await tx.query<{ id: number }>(
    `INSERT INTO sample_parts (run, stage, branch, part, rollout, scores, source_stage, checkpoint, policy, rule, shard, counts,
       seconds_sampling, seconds_scoring)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) RETURNING id`,
    [
      ...branchValues(key),
      part.part,
      json(rollout),
      json(scores),
      from.stage,
      json(from.checkpoint.manifest),
      from.checkpoint.digests.weights,
      json(rule),
      await shardId(tx, shard),
      json(counts),
      spent?.sampling,
      spent?.scoring,
    ],
  );
  if (row === undefined) throw new Error('expected the new part’s row, found none');
  return row.id;
}

/** One array a column: a statement of constant size, however many rows. */
const INSERT_SAMPLES = `
  INSERT INTO samples (part, sequence, prompt, seed, tokens, truncated, rewards, reason, text_offset, text_length, text_sha256)
  SELECT $1, s.* FROM unnest($2::integer[], $3::text[], $4::numeric[], $5::integer[], $6::boolean[], $7::jsonb[], $8::text[],
    $9::bigint[], $10::integer[], $11::text[]) AS s`;
const ROWS_A_STATEMENT = 4_096;

async function insertSamples(tx: Transaction, part: number, samples: readonly NewSample[]): Promise<void> {
  for (let begin = 0; begin < samples.length; begin += ROWS_A_STATEMENT) {
    const rows = samples.slice(begin, begin + ROWS_A_STATEMENT);
    await tx.query(INSERT_SAMPLES, [
      part,
      rows.map(({ sequence }) => sequence),
      rows.map(({ prompt }) => prompt),
      rows.map(({ seed }) => seed),
      rows.map(({ tokens }) => tokens),
      rows.map(({ truncated }) => truncated),
      rows.map(({ rewards }) => json(rewards)),
      rows.map(({ reason }) => reason),
      rows.map(({ text }) => text.offset),
      rows.map(({ text }) => text.length),
      rows.map(({ text }) => text.sha256),
    ]);
  }
}

/** The committed parts of a branch, in order. */
export async function listParts(reader: Queryable, key: BranchKey): Promise<SamplePart[]> {
  return reader.query<SamplePart>(
    `SELECT ${PART} FROM sample_parts p WHERE p.run = $1 AND p.stage = $2 AND p.branch = $3 ORDER BY p.part`,
    branchValues(key),
  );
}

/** The committed parts of the last branch that has any: a rewound stage keeps the data set that it made before. */
export async function listLastParts(reader: Queryable, { run, stage }: StageKey): Promise<SamplePart[]> {
  return reader.query<SamplePart>(
    `SELECT ${PART} FROM sample_parts p WHERE p.run = $1 AND p.stage = $2
       AND p.branch = (SELECT max(branch) FROM sample_parts WHERE run = $1 AND stage = $2)
     ORDER BY p.part`,
    [run, stage],
  );
}

export interface SampleFilter {
  /** null: all stages */
  stage?: string | null;
  /** only what was refused */
  rejected?: boolean;
  /** only what was refused for this */
  reason?: RejectionReason | null;
}

/** Parameters $1 to $4. */
const CHOSEN = `p.run = $1 AND ($2::text IS NULL OR p.stage = $2)
  AND (NOT $3 OR s.reason IS NOT NULL) AND ($4::text IS NULL OR s.reason = $4)`;

const chosenValues = (run: string, { stage = null, rejected = false, reason = null }: SampleFilter) => [
  run,
  stage,
  rejected,
  reason,
];

/** How many samples of a run there are. */
export async function countSamples(reader: Queryable, run: string, filter: SampleFilter): Promise<number> {
  const [row] = await reader.query<{ samples: number }>(
    `SELECT count(*) AS samples FROM sample_parts p JOIN samples s ON s.part = p.id WHERE ${CHOSEN}`,
    chosenValues(run, filter),
  );
  return row?.samples ?? 0;
}

/** A sample's row, and the problem that it answers. */
export interface SampleRow extends Omit<NewSample, 'text'> {
  stage: string;
  branch: number;
  part: number;
  problem: string;
  domain: string;
  sourceStage: string;
  checkpoint: string;
  policy: string;
  text: TextLocation;
}

/** A run's samples in the order of stages, parts and sequences, at most `limit`. */
export async function listSamples(
  reader: Queryable,
  run: string,
  { limit, ...filter }: SampleFilter & { limit: number },
): Promise<SampleRow[]> {
  return reader.query<SampleRow>(
    `SELECT p.stage, p.branch, p.part, s.sequence, s.prompt, pr.problem, pr.domain, p.source_stage AS "sourceStage",
       p.checkpoint ->> 'uri' AS checkpoint, p.policy, s.seed::text AS seed, s.tokens, s.truncated, s.rewards, s.reason,
       jsonb_build_object('object', t.object, 'offset', s.text_offset, 'length', s.text_length, 'sha256', s.text_sha256) AS text
     FROM sample_parts p
     JOIN stages st ON st.run = p.run AND st.stage = p.stage
     JOIN samples s ON s.part = p.id
     JOIN prompts pr ON pr.hash = s.prompt
     JOIN text_shards t ON t.id = p.shard
     WHERE ${CHOSEN}
     ORDER BY st.position, p.branch, p.part, s.sequence LIMIT $5`,
    [...chosenValues(run, filter), limit],
  );
}

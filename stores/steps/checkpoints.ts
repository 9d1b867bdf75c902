import { z } from 'zod';
import { Failure } from '../../contracts/failures.ts';
import type { BranchKey, StageKey, StepKey } from '../../contracts/identity.ts';
import { type Reference, sha256Schema } from '../../contracts/reference.ts';
import { besideRoles } from '../../contracts/stage-name.ts';
import { type CommittedCheckpoint, stageStatusSchema } from '../../contracts/stage-state.ts';
import type { Digests } from '../../contracts/training.ts';
import type { Database, Queryable, Transaction } from '../database/database.ts';
import { insertRow, readRow, readRows } from '../database/rows.ts';
import { bucketOf, keys } from '../objects/keys.ts';
import { branchName, branchValues, currentBranch, rowsOfBranch } from '../runs/branches.ts';
import { committedCheckpointSchema } from '../runs/runs.ts';
import { assertCurrentTerm } from '../runs/terms.ts';
import { claimObjects } from './deletion-marks.ts';
import { policyBefore } from './policies.ts';

export interface NewCheckpoint {
  key: StepKey;
  term: number;
  manifest: Reference;
  digests: Digests;
  /** as its trainer names it; null where that is of the first release */
  policy?: string | null;
  /** of all its objects */
  bytes: number;
  /** the step was trained again under other numerics: the weights may differ from those that its row names */
  acrossSeam?: boolean;
  /** that the trainer took to write it */
  seconds?: number;
}

/** Whether there is an object. */
type Exists = (uri: string) => Promise<boolean>;

/** For checkpoints without a reference policy. */
const unknown: Exists = (uri) => Promise.reject(new TypeError(`${uri}: nobody says whether it exists`));

/**
 * Commits a checkpoint whose objects and manifest are written. Where a checkpoint of the same step with the same digests
 * is committed already, that one is returned, and nothing refers to the new objects.
 * `exists`: asked about the reference policy, whose object other checkpoints share, and which may have been deleted since
 * the trainer found it.
 * @throws Failure 'SupersededTerm'; 'Contradiction' where digests differ; 'HistoryAhead' where its step has no row;
 * 'TrainerLost' where the reference policy is to be written again.
 */
export async function commitCheckpoint(
  database: Database,
  checkpoint: NewCheckpoint,
  exists: Exists = unknown,
): Promise<CommittedCheckpoint> {
  const { key, term, manifest, digests, bytes, seconds } = checkpoint;
  return database.transaction(async (tx) => {
    await assertCurrentTerm(tx, { run: key.run, stage: key.stage, branch: key.branch, term });
    const committed = await readCheckpoint(tx, key);
    if (committed !== null) return sameCheckpoint(committed, checkpoint);
    await refuseOtherStep(tx, checkpoint);
    await refuseOtherPolicy(tx, checkpoint);
    await claimObjects(tx, sharedObjects(checkpoint), exists);
    const { run, stage, branch, step } = key;
    const row = { run, stage, branch, step, term, manifest, digests, bytes, seconds_saving: seconds };
    await insertRow(tx, 'checkpoints', row);
    return { step, manifest, digests };
  });
}

/** A key with a digest in place of a stage: other checkpoints may refer to it. */
const sharedObjects = ({ manifest, digests }: NewCheckpoint): string[] =>
  digests.reference === null ? [] : [`${bucketOf(manifest)}/${keys.referencePolicy(digests.reference)}`];

async function readCheckpoint(reader: Queryable, key: StepKey): Promise<CommittedCheckpoint | null> {
  const row = await readRow(
    reader,
    'checkpoints',
    committedCheckpointSchema,
    `SELECT step, manifest, digests FROM checkpoints WHERE run = $1 AND stage = $2 AND branch = $3 AND step = $4`,
    [...branchValues(key), key.step],
  );
  return row ?? null;
}

const PARTS = ['weights', 'moments', 'reference'] as const;

function sameCheckpoint(
  committed: CommittedCheckpoint,
  { key, digests, manifest }: NewCheckpoint,
): CommittedCheckpoint {
  const differing = PARTS.filter((part) => committed.digests[part] !== digests[part]);
  if (differing.length === 0) return committed;
  const both = differing
    .map((part) => `${part} ${committed.digests[part]}, found ${digests[part]}`)
    .join('; ');
  throw new Failure(
    'Contradiction',
    `checkpoint of ${branchName(key)} step ${key.step}: expected ${both} ` +
      `(committed: ${committed.manifest.uri}; found: ${manifest.uri}). Nothing was written.`,
  );
}

/** A checkpoint holds the weights that its step's row names, except across a change of numerics (rule 12). */
async function refuseOtherStep(tx: Transaction, { key, digests, acrossSeam }: NewCheckpoint): Promise<void> {
  const row = await readRow(
    tx,
    'steps',
    z.object({ digest: sha256Schema.nullable() }),
    `SELECT digest_after AS digest FROM steps WHERE run = $1 AND stage = $2 AND branch = $3 AND step = $4`,
    [...branchValues(key), key.step],
  );
  const where = `checkpoint of ${branchName(key)} step ${key.step}`;
  if (row === undefined) {
    throw new Failure(
      'HistoryAhead',
      `${where}: expected its step to be recorded first, found no row. Nothing was written.`,
    );
  }
  if (acrossSeam || row.digest === null || row.digest === digests.weights) return;
  throw new Failure(
    'Contradiction',
    `${where}: expected the weights ${row.digest} that the step left, found ${digests.weights}. Nothing was written.`,
  );
}

/** A checkpoint holds the policy that the logged batches give. */
async function refuseOtherPolicy(tx: Transaction, { key, policy = null }: NewCheckpoint): Promise<void> {
  if (policy === null) return;
  const expected = await policyBefore(tx, { ...key, step: key.step + 1 });
  if (policy === expected) return;
  throw new Failure(
    'Contradiction',
    `checkpoint of ${branchName(key)} step ${key.step}: expected the policy ${expected}, found ${policy}. Nothing was written.`,
  );
}

/** The last checkpoint of a branch, ancestors' included; undefined without one. */
export async function lastCheckpoint(
  reader: Queryable,
  key: BranchKey,
): Promise<CommittedCheckpoint | undefined> {
  return readRow(
    reader,
    'checkpoints',
    committedCheckpointSchema,
    `SELECT r.step, r.manifest, r.digests ${rowsOfBranch('checkpoints')} ORDER BY r.step DESC LIMIT 1`,
    branchValues(key),
  );
}

/**
 * The last checkpoint of a complete stage: where the next stage starts.
 * @throws Failure 'Contradiction' where the stage is not complete, or has no checkpoint.
 */
export async function finalCheckpoint(database: Database, key: StageKey): Promise<CommittedCheckpoint> {
  return database.snapshot(async (reader) => {
    const row = await readRow(
      reader,
      'stages',
      z.object({ status: stageStatusSchema }),
      'SELECT status FROM stages WHERE run = $1 AND stage = $2',
      [key.run, key.stage],
    );
    const found =
      row?.status === 'complete' ? await lastCheckpoint(reader, await currentBranch(reader, key)) : undefined;
    if (found !== undefined) return found;
    throw new Failure(
      'Contradiction',
      `${key.run}/${key.stage}: expected it complete with a checkpoint, found it ${row?.status ?? 'missing'}`,
    );
  });
}

/** The last checkpoint of a stage's current branch, complete or not. Throws Failure 'Contradiction' without one. */
export async function latestCheckpoint(database: Database, key: StageKey): Promise<CommittedCheckpoint> {
  return database.snapshot(async (reader) => {
    const found = await lastCheckpoint(reader, await currentBranch(reader, key));
    if (found !== undefined) return found;
    throw new Failure(
      'Contradiction',
      `${key.run}/${key.stage}: expected a committed checkpoint, found none`,
    );
  });
}

const foundCheckpointSchema = committedCheckpointSchema.extend({
  run: z.string(),
  stage: z.string(),
  branch: z.int(),
});
/** A checkpoint with the branch that it belongs to. */
export type FoundCheckpoint = z.infer<typeof foundCheckpointSchema>;

/** Every checkpoint that can be named: the committed ones, and at step 0 those that stages start from. */
const CHECKPOINTS = `
  SELECT run, stage, branch, step, manifest, digests, false AS initial FROM checkpoints
  UNION ALL
  SELECT run, stage, 0, 0, initial_manifest, initial_digests, true FROM stages WHERE initial_manifest IS NOT NULL`;

const NAMED = `SELECT c.run, c.stage, c.branch, c.step, c.manifest, c.digests`;

/**
 * The checkpoint that a person names: the `s3://…` of its manifest, or `run[/stage][@step]`. The run `latest` is the one
 * launched last. Without a stage it is the last stage that has a checkpoint, where stages on the way to R1 come before
 * others; without a step it is the last step. Step 0 is what the stage started from. Steps are those of the stage's
 * current branch.
 * @throws Failure 'InvalidInput' listing the latest checkpoints.
 */
export async function findCheckpoint(reader: Queryable, name: string): Promise<FoundCheckpoint> {
  const found = name.startsWith('s3://') ? await findByUri(reader, name) : await findByName(reader, name);
  return found ?? refuseUnknown(reader, name);
}

async function findByUri(reader: Queryable, uri: string): Promise<FoundCheckpoint | undefined> {
  return readRow(
    reader,
    'checkpoints',
    foundCheckpointSchema,
    `${NAMED} FROM (${CHECKPOINTS}) c WHERE c.manifest ->> 'uri' = $1 ORDER BY c.initial LIMIT 1`,
    [uri],
  );
}

/** A stage's name may hold a slash, a run's may not. */
const NAME = /^([^/@]+)(?:\/([^@]+))?(?:@(\d{1,9}))?$/;

async function findByName(reader: Queryable, name: string): Promise<FoundCheckpoint | undefined> {
  const [, run, stage, step] = NAME.exec(name) ?? refuseForm(name);
  return readRow(
    reader,
    'checkpoints',
    foundCheckpointSchema,
    `${NAMED}
     FROM (${CHECKPOINTS}) c
     JOIN stages st ON st.run = c.run AND st.stage = c.stage
     JOIN LATERAL lineage(st.run, st.stage, st.branch) l ON l.ancestor = c.branch AND c.step <= l.up_to
     WHERE c.run = coalesce((SELECT run FROM runs WHERE run = $1),
         (SELECT run FROM runs WHERE $1 = 'latest' ORDER BY started_at DESC, run DESC LIMIT 1))
       AND ($2::text IS NULL OR c.stage = $2) AND ($3::integer IS NULL OR c.step = $3)
     ORDER BY c.initial, split_part(c.stage, '/', 1) = ANY ($4), st.position DESC, c.step DESC LIMIT 1`,
    [run, stage ?? null, step ?? null, besideRoles],
  );
}

function refuseForm(name: string): never {
  throw new Failure(
    'InvalidInput',
    `expected a checkpoint as RUN, RUN/STAGE, RUN/STAGE@STEP or s3://…/manifest.json, found ${JSON.stringify(name)}`,
  );
}

const SHOWN = 8;

async function refuseUnknown(reader: Queryable, name: string): Promise<never> {
  const deleted = await findDeleted(reader, name);
  const known = await readRows(
    reader,
    'checkpoints',
    z.object({ run: z.string(), stage: z.string(), step: z.int() }),
    `SELECT run, stage, step FROM checkpoints WHERE $1::text IS NULL OR run = $1 AND stage = $2
     ORDER BY committed_at DESC LIMIT ${SHOWN}`,
    [deleted?.run ?? null, deleted?.stage ?? null],
  );
  const list = known.map(({ run, stage, step }) => `${run}/${stage}@${step}`).join(', ');
  if (deleted !== undefined) {
    const { deletedAt, reason } = deleted;
    throw new Failure(
      'InvalidInput',
      `expected a committed checkpoint, found that ${JSON.stringify(name)} was deleted at ${deletedAt}: ${reason}. ` +
        `Those that exist: ${list || 'none'}. Its step can be continued after all the same: ` +
        `\`r1 resume ${deleted.run} --from ${deleted.step}\` trains again on the log.`,
    );
  }
  throw new Failure(
    'InvalidInput',
    `expected a committed checkpoint, found none named ${JSON.stringify(name)}. ${list ? `The latest are ${list}.` : 'There is none yet.'}`,
  );
}

/** The deleted checkpoint that a person names; undefined without one. */
async function findDeleted(reader: Queryable, name: string) {
  const [, run = null, stage = null, step = null] = name.startsWith('s3://') ? [] : (NAME.exec(name) ?? []);
  return readRow(
    reader,
    'deleted_checkpoints',
    z.object({
      run: z.string(),
      stage: z.string(),
      step: z.int(),
      reason: z.string(),
      deletedAt: z.string(),
    }),
    `SELECT run, stage, step, reason, deleted_at AS "deletedAt" FROM deleted_checkpoints
     WHERE manifest ->> 'uri' = $1 OR step = $4::integer AND ($3::text IS NULL OR stage = $3)
       AND run = coalesce((SELECT run FROM runs WHERE run = $2),
         (SELECT run FROM runs WHERE $2 = 'latest' ORDER BY started_at DESC, run DESC LIMIT 1))
     ORDER BY branch DESC, deleted_at DESC LIMIT 1`,
    [name, run, stage, step],
  );
}

import { Failure } from '../../contracts/failures.ts';
import { besideRoles } from '../../contracts/stage-name.ts';
import type { CommittedCheckpoint } from '../../contracts/stage-state.ts';
import type { Queryable } from '../database/database.ts';

/** A checkpoint and whose it is. */
export interface FoundCheckpoint extends CommittedCheckpoint {
  run: string;
  stage: string;
  branch: number;
}

/** Every checkpoint that a name can mean: committed ones, and at step 0 what each stage started from. */
const CHECKPOINTS = `
  SELECT run, stage, branch, step, manifest, digests, false AS initial FROM checkpoints
  UNION ALL
  SELECT run, stage, 0, 0, initial_manifest, initial_digests, true FROM stages WHERE initial_manifest IS NOT NULL`;

const NAMED = `SELECT c.run, c.stage, c.branch, c.step, c.manifest, c.digests`;

/**
 * The checkpoint that a person names: the `s3://…` of its manifest, or `run[/stage][@step]`; `latest` stands for
 * the run launched last. Without a stage the last one that has a checkpoint, those that lead to R1 before those
 * beside; without a step its last; step 0
 * is what the stage started from. Steps are those of the stage's current branch.
 * @throws Failure 'InvalidInput' telling which checkpoints there are.
 */
export async function findCheckpoint(reader: Queryable, name: string): Promise<FoundCheckpoint> {
  const found = name.startsWith('s3://') ? await findByUri(reader, name) : await findByName(reader, name);
  return found ?? refuseUnknown(reader, name);
}

async function findByUri(reader: Queryable, uri: string): Promise<FoundCheckpoint | undefined> {
  const [found] = await reader.query<FoundCheckpoint>(
    `${NAMED} FROM (${CHECKPOINTS}) c WHERE c.manifest ->> 'uri' = $1 ORDER BY c.initial LIMIT 1`,
    [uri],
  );
  return found;
}

/** A stage's name may hold a slash, a run's may not. */
const NAME = /^([^/@]+)(?:\/([^@]+))?(?:@(\d{1,9}))?$/;

async function findByName(reader: Queryable, name: string): Promise<FoundCheckpoint | undefined> {
  const [, run, stage, step] = NAME.exec(name) ?? refuseForm(name);
  const [found] = await reader.query<FoundCheckpoint>(
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
  return found;
}

function refuseForm(name: string): never {
  throw new Failure(
    'InvalidInput',
    `expected a checkpoint as RUN, RUN/STAGE, RUN/STAGE@STEP or s3://…/manifest.json, found ${JSON.stringify(name)}`,
  );
}

const SHOWN = 8;

async function refuseUnknown(reader: Queryable, name: string): Promise<never> {
  const known = await reader.query<{ run: string; stage: string; step: number }>(
    `SELECT run, stage, step FROM checkpoints ORDER BY committed_at DESC LIMIT ${SHOWN}`,
  );
  const list = known.map(({ run, stage, step }) => `${run}/${stage}@${step}`).join(', ');
  throw new Failure(
    'InvalidInput',
    `expected a committed checkpoint, found none named ${JSON.stringify(name)}. ${list ? `The latest are ${list}.` : 'There is none yet.'}`,
  );
}

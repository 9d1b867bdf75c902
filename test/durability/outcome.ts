/** What became of a run, without what may differ between two runs of one recipe: names, places, times and terms. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readManifest } from '../../activities/checkpoints/checkpoint-files.ts';
import { readLoggedBatch } from '../../activities/records/logged-batch.ts';
import type { StageKey } from '../../contracts/identity.ts';
import type { Reference } from '../../contracts/reference.ts';
import type { Database } from '../../stores/database/database.ts';
import type { ObjectStore } from '../../stores/objects/objects.ts';
import { type Ground, STAGE } from './ground.ts';

/** Columns that say when, where and by whom. */
const INCIDENTAL = {
  // A policy is named by the batches that made it, and a batch names its run.
  steps: ['term', 'recorded_at', 'policy_after'],
  batches: ['term', 'batch', 'hand', 'committed_at', 'policy_before'],
  checkpoints: ['term', 'manifest', 'committed_at', 'bytes'],
  prompt_uses: [],
  changes: ['ordinal', 'committed_at'],
  // A student is measured by whichever of its stages comes first.
  evaluations: ['rollout', 'scores', 'checkpoint', 'recorded_at', 'measured_by'],
  // A data set's digest is of its name too, and that of the run.
  stages: ['initial_manifest', 'started_at', 'finished_at', 'data_set'],
} as const;

type Table = keyof typeof INCIDENTAL;

export interface Outcome {
  /** rows by table, in order: digests of weights, moments and reference, prompts issued, figures of every step */
  rows: Record<Table, object[]>;
  /** SHA-256 of every batch's numbers and arrays, by step */
  batches: Record<number, string>;
  /** SHA-256 of every object that a checkpoint consists of, by step and name; each was read and is what it says */
  checkpoints: Record<number, Record<string, string>>;
  /** names of all the run's objects, without terms and digests: one doubled is there twice, one lost is missing */
  objects: string[];
}

/** The rows are those of all the run's stages; batches, checkpoints and objects are this one's. */
export async function outcomeOf({ connections }: Ground, run: string, stage = STAGE): Promise<Outcome> {
  const [database, objects] = await Promise.all([connections.database(), connections.objects()]);
  const tables = Object.keys(INCIDENTAL) as Table[];
  const rows = await Promise.all(tables.map(async (table) => [table, await rowsOf(database, table, run)]));
  return {
    rows: Object.fromEntries(rows),
    batches: await batchesOf(database, objects, { run, stage }),
    checkpoints: await checkpointsOf(database, objects, { run, stage }),
    objects: await objectsOf(objects, { run, stage }),
  };
}

/** What `found` has of objects beyond `expected`, each as often as it is too many. Throws where one is missing. */
export function objectsLeft(found: Outcome, expected: Outcome): string[] {
  const left = [...found.objects];
  for (const name of expected.objects) {
    const at = left.indexOf(name);
    assert.notEqual(at, -1, `expected an object ${name}, found none`);
    left.splice(at, 1);
  }
  return left;
}

/** As `Outcome.objects` names the files of a checkpoint. */
export function ofCheckpoint(step: number, files: readonly string[]): string[] {
  return files.map((file) => `b0/checkpoints/step-${String(step).padStart(6, '0')}/t/${file}`);
}

/** Where the run was paused it has a checkpoint more. */
export function withoutCheckpoint({ rows, batches, checkpoints, objects }: Outcome, step: number): Outcome {
  const { [step]: _, ...others } = checkpoints;
  const files = new Set(ofCheckpoint(step, ['manifest.json', 'model.safetensors', 'optimizer.safetensors']));
  return {
    rows: {
      ...rows,
      checkpoints: rows.checkpoints.filter((row) => !('step' in row && row.step === step)),
    },
    batches,
    checkpoints: others,
    objects: objects.filter((name) => !files.has(name)),
  };
}

async function rowsOf(database: Database, table: Table, run: string): Promise<object[]> {
  const left = ['run', ...INCIDENTAL[table]];
  const rows = await database.query<{ row: Record<string, unknown> }>(
    `SELECT to_jsonb(t) - $2::text[] AS row FROM ${table} t WHERE run = $1`,
    [run, left],
  );
  const seconds = (name: string) => name.startsWith('seconds_');
  return rows
    .map(({ row }) => Object.fromEntries(Object.entries(row).filter(([name]) => !seconds(name))))
    .sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}

function keyOf(row: Record<string, unknown>): string {
  const step = String(row.step ?? row.first_step ?? '').padStart(6, '0');
  return [row.stage, row.branch, step, String(row.slot ?? '').padStart(6, '0'), row.quick].join('/');
}

async function batchesOf(database: Database, objects: ObjectStore, { run, stage }: StageKey) {
  const rows = await database.query<{ step: number; batch: Reference }>(
    'SELECT step, batch FROM batches WHERE run = $1 AND stage = $2 ORDER BY step',
    [run, stage],
  );
  const digests = rows.map(async ({ step, batch }) => [step, await contentOf(objects, batch)]);
  return Object.fromEntries(await Promise.all(digests));
}

async function contentOf(objects: ObjectStore, batch: Reference): Promise<string> {
  const { record, tensors } = await readLoggedBatch(objects, batch);
  // Policies and data sets are named by what holds their run's name too.
  const { key, ...others } = record;
  const incidental = ['rollout', 'data', 'policy', 'policyBefore'];
  const numbers = Object.fromEntries(Object.entries(others).filter(([name]) => !incidental.includes(name)));
  const hash = createHash('sha256').update(
    JSON.stringify({ ...numbers, step: key.step, branch: key.branch }),
  );
  for (const [name, { data, shape }] of [...tensors].sort(([a], [b]) => (a < b ? -1 : 1))) {
    hash.update(`${name} ${shape}`).update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return hash.digest('hex');
}

async function checkpointsOf(database: Database, objects: ObjectStore, { run, stage }: StageKey) {
  const rows = await database.query<{ step: number; manifest: Reference }>(
    'SELECT step, manifest FROM checkpoints WHERE run = $1 AND stage = $2',
    [run, stage],
  );
  const parts = rows.map(async ({ step, manifest }) => [step, await partsOf(objects, manifest)]);
  return Object.fromEntries(await Promise.all(parts));
}

async function partsOf(objects: ObjectStore, reference: Reference): Promise<Record<string, string>> {
  const { files, moments, reference: policy } = await readManifest(objects, reference);
  const parts = Object.entries({ ...files, moments, reference: policy });
  const digests = parts.map(async ([name, part]) => {
    // Reading compares the bytes with their checksum.
    if (part !== null) await objects.get(part);
    return [name, part?.sha256 ?? 'none'];
  });
  return Object.fromEntries(await Promise.all(digests));
}

/** `b0/checkpoints/step-000010/t2/model.safetensors` becomes `b0/checkpoints/step-000010/t/model.safetensors`, and digests are left out. */
async function objectsOf(objects: ObjectStore, { run, stage }: StageKey): Promise<string[]> {
  const prefix = `runs/${run}/${stage}/`;
  const all = await objects.list(prefix);
  return all
    .map(({ key }) =>
      key
        .slice(prefix.length)
        .replace(/\bt\d+\b/, 't')
        .replace(/-[0-9a-f]{16}\./, '.'),
    )
    .sort();
}

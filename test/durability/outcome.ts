/** What became of a run, without what may differ between two runs of one recipe: names, places, times and terms. */
import { createHash } from 'node:crypto';
import { readBatch } from '../../activities/records.ts';
import type { Reference } from '../../contracts/reference.ts';
import type { Database } from '../../stores/database.ts';
import type { ObjectStore } from '../../stores/objects.ts';
import type { Ground } from './ground.ts';

/** Columns that say when, where and by whom. */
const INCIDENTAL = {
  steps: ['term', 'recorded_at'],
  batches: ['term', 'batch', 'hand', 'committed_at'],
  checkpoints: ['term', 'manifest', 'committed_at', 'bytes'],
  prompt_uses: [],
  changes: ['ordinal', 'committed_at'],
  evaluations: ['rollout', 'scores', 'checkpoint', 'recorded_at'],
  stages: ['initial_manifest', 'started_at', 'finished_at'],
} as const;

type Table = keyof typeof INCIDENTAL;

export interface Outcome {
  /** rows by table, in order */
  rows: Record<Table, object[]>;
  /** SHA-256 of every batch's numbers and arrays, by step */
  batches: Record<number, string>;
  /** calls for sampling whose completions were kept: one an object */
  sampled: number;
}

export async function outcomeOf({ connections }: Ground, run: string): Promise<Outcome> {
  const [database, objects] = await Promise.all([connections.database(), connections.objects()]);
  const tables = Object.keys(INCIDENTAL) as Table[];
  const rows = await Promise.all(tables.map(async (table) => [table, await rowsOf(database, table, run)]));
  return {
    rows: Object.fromEntries(rows),
    batches: await batchesOf(database, objects, run),
    sampled: await sampledOf(objects, run),
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

async function batchesOf(database: Database, objects: ObjectStore, run: string) {
  const rows = await database.query<{ step: number; batch: Reference }>(
    'SELECT step, batch FROM batches WHERE run = $1 ORDER BY step',
    [run],
  );
  const digests = rows.map(async ({ step, batch }) => [step, await contentOf(objects, batch)]);
  return Object.fromEntries(await Promise.all(digests));
}

async function contentOf(objects: ObjectStore, batch: Reference): Promise<string> {
  const { record, tensors } = await readBatch(objects, batch);
  const { rollout: _rollout, scores: _scores, logprobs: _logprobs, key, ...numbers } = record;
  const hash = createHash('sha256').update(
    JSON.stringify({ ...numbers, step: key.step, branch: key.branch }),
  );
  for (const [name, { data, shape }] of [...tensors].sort(([a], [b]) => (a < b ? -1 : 1))) {
    hash.update(`${name} ${shape}`).update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return hash.digest('hex');
}

/** Trainers' rollouts; those that a join made of them have no term in their names. */
async function sampledOf(objects: ObjectStore, run: string): Promise<number> {
  const all = await objects.list(`runs/${run}/`);
  return all.filter(({ key }) => /\/rollouts\/.*\/t\d+-rollout-/.test(key)).length;
}

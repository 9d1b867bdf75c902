/**
 * `npm run bench:datasets`: a data set of the paper's size. The rules select candidates, whose texts are written to
 * S3 and whose rows to Postgres; a version is built from the accepted ones and exported as Parquet. Candidates are
 * generated in memory instead of read from rollouts and scores; this time is not part of the rate. Starts its own
 * stack in a temporary folder; needs about 12 kB of disk per row.
 *
 *     npm run bench:datasets [-- --rows 800000]
 */
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { availableParallelism, cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import type { Stores } from '../../activities/dependencies.ts';
import { noFailpoints } from '../../activities/failpoints.ts';
import { buildDataset } from '../../activities/orchestrator/examples/build-dataset.ts';
import { commitSelected, measuresOf } from '../../activities/orchestrator/examples/select-samples.ts';
import { indexEvaluations } from '../../algorithm/data/decontamination.ts';
import { selectSamples, sumCounts } from '../../algorithm/data/filters.ts';
import { openR1Rows, writeRows } from '../../cli/data/export-dataset.ts';
import { tableText } from '../../cli/output/output.ts';
import type { SampleCounts } from '../../contracts/datasets.ts';
import { MIGRATIONS } from '../../infra/paths.ts';
import { readSettings } from '../../infra/settings.ts';
import { startStack, stopStack } from '../../infra/stack.ts';
import { readExamples } from '../../stores/data/dataset-rows.ts';
import { findDataset } from '../../stores/data/datasets.ts';
import { createDatabase } from '../../stores/database/database.ts';
import { migrate } from '../../stores/database/migrate.ts';
import { createObjectStore } from '../../stores/objects/objects.ts';
import { addRun, BRANCH, KEY } from '../stores/helpers.ts';
import { createCandidates, KEPT_PER_PROMPT, PROMPTS_PER_PART, rule } from './dataset-candidates.ts';
import { watchMemory } from './watch-memory.ts';

const CLAIMED_RATE = 5_000;
const CLAIMED_TEXT_BYTES = 2_048;
/** Parts that are selected and committed concurrently, as activities of one worker. */
const PARALLEL = 3;

const { values } = parseArgs({ options: { rows: { type: 'string', default: '800000' } } });
const rows = Number(values.rows);
if (!Number.isInteger(rows) || rows < 1)
  throw new Error(`--rows: expected a whole number from 1, found ${values.rows}`);

const home = await mkdtemp(join(tmpdir(), 'r1-bench-datasets-'));
const { PATH, HOME, XDG_CACHE_HOME, R1_CACHE } = process.env;
const settings = readSettings({ PATH, HOME, XDG_CACHE_HOME, R1_CACHE, R1_HOME: join(home, 'r1') });
try {
  await bench();
} finally {
  await stopStack({ settings, purge: true });
  await rm(home, { recursive: true, force: true });
}

async function bench(): Promise<void> {
  const stack = await startStack({ settings, workers: false });
  const stores: Stores = {
    database: createDatabase(stack.postgres.url),
    objects: createObjectStore(stack.s3),
  };
  try {
    await migrate(stores.database, MIGRATIONS);
    await addRun(stores.database, KEY.run);
    const figures = await inAndOut(stores);
    report(figures);
  } finally {
    await stores.database.close();
    stores.objects.close();
  }
}

type Figures = Awaited<ReturnType<typeof inAndOut>>;

async function inAndOut(stores: Stores) {
  const parts = Math.ceil(rows / (KEPT_PER_PROMPT * PROMPTS_PER_PART));
  const candidates = await createCandidates(stores.database, parts * PROMPTS_PER_PART);
  const into = await phase('in', parts, (done) => takeIn(stores, candidates, parts, done));
  const counts = sumCounts(into.result);
  const made = await phase('version', 1, () =>
    buildDataset(stores, { key: BRANCH, name: 'bench', rule, parts, include: [] }),
  );
  const path = join(home, 'bench.parquet');
  const dataset = await findDataset(stores.database, 'bench');
  const out = await phase('out', dataset.rows, async (done) => {
    await writeRows(path, counted(openR1Rows(stores.database, stores.objects, dataset), done));
  });
  return {
    counts,
    dataset,
    secondsMaking: candidates.seconds(),
    into,
    made,
    out,
    stored: await countStored(stores),
    read: await readBack(stores, path, dataset.digest),
  };
}

/** Selects and commits all parts, several concurrently. */
async function takeIn(
  stores: Stores,
  candidates: Awaited<ReturnType<typeof createCandidates>>,
  parts: number,
  done: (count: number) => void,
): Promise<SampleCounts[]> {
  const counts: SampleCounts[] = [];
  const measures = measuresOf(rule.template, indexEvaluations(candidates.evaluated));
  let next = 0;
  const worker = async () => {
    while (next < parts) {
      const part = next++;
      const { input, samples } = candidates.part(part);
      const selected = selectSamples(samples, rule, { measures, seed: BigInt(part) });
      counts.push(await commitSelected({ ...stores, failpoints: noFailpoints }, input, samples, selected));
      done(1);
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));
  return counts;
}

async function* counted<Row>(from: AsyncIterable<Row>, done: (count: number) => void): AsyncGenerator<Row> {
  for await (const row of from) {
    yield row;
    done(1);
  }
}

/** Runs a phase, and prints its progress and the memory of this process. */
async function phase<Result>(
  name: string,
  total: number,
  work: (done: (count: number) => void) => Promise<Result>,
) {
  const memory = watchMemory();
  const tenth = Math.max(1, Math.floor(total / 10));
  let reached = 0;
  const start = performance.now();
  const processor = process.cpuUsage();
  const result = await work((count) => {
    reached += count;
    if (reached % tenth !== 0) return;
    const seconds = ((performance.now() - start) / 1000).toFixed(0);
    const share = Math.round((100 * reached) / total);
    console.error(`${name} ${share} % · ${seconds} s · ${mebibytes(memory.now())}`);
  });
  const { user, system } = process.cpuUsage(processor);
  const seconds = (performance.now() - start) / 1000;
  return { result, seconds, processor: (user + system) / 1e6, memory: memory.end() };
}

/** Counts of what is stored in Postgres and S3. */
async function countStored({ database, objects }: Stores) {
  const [found] = await database.query<{
    samples: number;
    rows: number;
    bytes: number;
    shortest: number;
    size: number;
  }>(
    `SELECT (SELECT count(*) FROM samples) AS samples, (SELECT count(*) FROM dataset_rows) AS rows,
       (SELECT sum(text_length) FROM samples) AS bytes, (SELECT min(text_length) FROM samples) AS shortest,
       pg_database_size(current_database()) AS size`,
  );
  if (found === undefined) throw new Error('expected counts, found none');
  const shards = await objects.list('texts/');
  return { ...found, shards: shards.length, shardBytes: shards.reduce((sum, { bytes }) => sum + bytes, 0) };
}

/** Reads the Parquet file with another library, and compares some rows with the stores. */
async function readBack({ database, objects }: Stores, path: string, digest: string) {
  const file = await asyncBufferFromFile(path);
  const metadata = await parquetMetadataAsync(file);
  const total = Number(metadata.num_rows);
  const ordinals = [0, Math.floor(total / 3), Math.floor(total / 2), total - 1];
  const stored = await readExamples(database, objects, digest, ordinals);
  const equal = await Promise.all(
    ordinals.map(async (ordinal, index) => {
      const range = { file, metadata, rowStart: ordinal, rowEnd: ordinal + 1 };
      const [row] = await parquetReadObjects({ ...range, columns: ['problem', 'generations'] });
      return row?.problem === stored[index]?.problem && row?.generations?.[0] === stored[index]?.response;
    }),
  );
  return {
    rows: total,
    groups: metadata.row_groups.length,
    bytes: (await stat(path)).size,
    equal: equal.every(Boolean),
  };
}

function report({ counts, dataset, secondsMaking, into, made, out, stored, read }: Figures): void {
  // Candidates are generated in the same thread; in a run, the trainer and the verifiers do this work.
  const rate = counts.sampled / (into.seconds - secondsMaking);
  const claims: [string, string, boolean][] = [
    ['rows in', `${thousands(counts.sampled)} (${thousands(counts.kept)} kept)`, counts.kept >= rows],
    ['bytes of the shortest text', String(stored.shortest), stored.shortest >= CLAIMED_TEXT_BYTES],
    ['rows in per second', thousands(rate), rate >= CLAIMED_RATE],
    ['memory while rows come in', memoryText(into.memory), into.memory.flat],
    [
      'rows in Postgres',
      `${thousands(stored.samples)}, ${thousands(stored.rows)} in the data set`,
      stored.samples === counts.sampled && stored.rows === counts.kept,
    ],
    [
      'bytes of text in S3',
      `${thousands(stored.shardBytes)} in ${stored.shards} objects`,
      stored.shardBytes === stored.bytes,
    ],
    [
      'rows in Parquet',
      `${thousands(read.rows)} in ${read.groups} groups, ${mebibytes(read.bytes)}`,
      read.rows === dataset.rows && read.equal,
    ],
    ['memory while rows go out', memoryText(out.memory), out.memory.flat],
  ];
  const machine = `${cpus()[0]?.model.trim()}, ${availableParallelism()} cores, ${mebibytes(totalmem())}`;
  console.log(`${machine}, Node ${process.version}, ${new Date().toISOString().slice(0, 10)}\n`);
  console.log(
    tableText(
      ['', '', ''],
      claims.map(([name, figure, holds]) => [name, figure, holds ? 'met' : 'MISSED']),
    ),
  );
  console.log(
    `\nin ${into.seconds.toFixed(1)} s (processor ${into.processor.toFixed(1)} s), of which ${secondsMaking.toFixed(1)} s ` +
      `generated the candidates · version ${made.seconds.toFixed(1)} s · out ${out.seconds.toFixed(1)} s (processor ${out.processor.toFixed(1)} s; ${thousands(dataset.rows / out.seconds)} rows/s) · ` +
      `Postgres ${mebibytes(stored.size)}`,
  );
  console.log(
    `rejected: ${Object.entries(counts.rejected)
      .map(([reason, count]) => `${reason} ${thousands(count)}`)
      .join(', ')}`,
  );
  if (claims.some(([, , holds]) => !holds)) process.exitCode = 1;
}

function memoryText({ firstHalf, secondHalf }: { firstHalf: number; secondHalf: number }): string {
  return `at most ${mebibytes(firstHalf)} in the first half, ${mebibytes(secondHalf)} in the second`;
}

function thousands(value: number): string {
  return Math.round(value).toLocaleString('en');
}

function mebibytes(bytes: number): string {
  return `${thousands(bytes / 2 ** 20)} MiB`;
}

/**
 * `npm run bench:model-io`: a made-up model through import, acquire, checkpoint and export, without an engine: GB/s and
 * memory of each part. Starts an S3 of its own in a temporary folder, and removes it and all data at the end. Needs disk
 * space for three times the model and the cache. Exits with 1 where memory grows with the model.
 *
 *     npm run bench:model-io -- [--gigabytes 6] [--file-gigabytes 2]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { tableText } from '../../cli/output/output.ts';
import { readSettings } from '../../infra/settings.ts';
import { startStack, stopStack } from '../../infra/stack.ts';
import { createObjectStore } from '../../stores/objects/objects.ts';
import { measureModelIo } from './model-io/measure.ts';

const GIGABYTE = 1e9;
const MEGABYTE = 1e6;
/** What a part may need beside the process itself, whatever the size of the model. */
const MOST_MEMORY = 256 * MEGABYTE;
const CACHE_LIMIT = 2 * GIGABYTE;

const { values } = parseArgs({
  options: {
    gigabytes: { type: 'string', default: '6' },
    'file-gigabytes': { type: 'string', default: '2' },
  },
});
const folder = mkdtempSync(join(tmpdir(), 'r1-bench-model-io-'));
const settings = readSettings({ ...process.env, R1_HOME: join(folder, 'home') });
const bytes = Number(values.gigabytes) * GIGABYTE;
try {
  const stack = await startStack({ settings, workers: false });
  const objects = createObjectStore(stack.s3);
  await objects.ensureBucket();
  console.log(
    `${cpus()[0]?.model.trim()}, ${availableParallelism()} cores, Node ${process.version}, ${new Date().toISOString().slice(0, 10)}; ` +
      `load before: ${loadavg()[0]?.toFixed(1)}; ${bytes / GIGABYTE} GB in files of ${values['file-gigabytes']} GB\n`,
  );
  const fileBytes = Number(values['file-gigabytes']) * GIGABYTE;
  const size = { folder, bytes, fileBytes, cacheLimit: CACHE_LIMIT };
  const figures = await measureModelIo(objects, size, ({ part, seconds }) =>
    process.stderr.write(`${part}: ${seconds.toFixed(1)} s\n`),
  );
  objects.close();
  const rows = figures.map(({ part, seconds, memory }) => [
    part,
    `${seconds.toFixed(1)} s`,
    `${(bytes / GIGABYTE / seconds).toFixed(2)} GB/s`,
    `${(memory / MEGABYTE).toFixed(0)} MB`,
    memory <= MOST_MEMORY ? 'met' : 'MISSED',
  ]);
  console.log(tableText(['', 'time', 'speed', 'memory', `at most ${MOST_MEMORY / MEGABYTE} MB`], rows));
  if (figures.some(({ memory }) => memory > MOST_MEMORY)) process.exitCode = 1;
} finally {
  await stopStack({ settings, purge: true });
  rmSync(folder, { recursive: true, force: true });
}

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { z } from 'zod';
import { documents } from '../../contracts/documents.ts';
import { failures } from '../../contracts/failures.ts';
import { schemaFiles } from '../../contracts/json-schemas.ts';
import { recordFormats } from '../../contracts/records/formats.ts';
import * as release1 from '../../contracts/records/release-1.ts';
import * as records from '../../contracts/records/schemas.ts';
import { recordTensors } from '../../contracts/records/tensors.ts';
import * as training from '../../contracts/training.ts';
import { queues } from '../../contracts/workflows.ts';
import { PROJECT_ROOT } from '../../infra/paths.ts';

const folder = join(PROJECT_ROOT, 'contracts', 'schemas');
const published = schemaFiles();

test('the JSON Schemas match the contracts; `npm run schemas` regenerates them', () => {
  const found = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.json'),
  );
  assert.deepEqual(found.sort(), [...published.keys()].sort());
  for (const [name, text] of published) assert.equal(readFileSync(join(folder, name), 'utf8'), text, name);
});

test('every command with --json has its schema', () => {
  for (const name of Object.keys(documents)) assert(published.has(`${name}.json`), name);
});

const bodyOf = (schema: z.ZodType, io: 'input' | 'output') => z.toJSONSchema(schema, { io });
const bodies = new Set(
  [...published].map(([, text]) => {
    const { title: _, ...body } = JSON.parse(text);
    return JSON.stringify(body);
  }),
);
const isPublished = (schema: z.ZodType) =>
  (['input', 'output'] as const).some((io) => bodies.has(JSON.stringify(bodyOf(schema, io))));

test('every schema of a call, of a record, of the heartbeat and of the manifest is published', () => {
  const whole = /(Input|Result|heartbeat|manifest)Schema$/;
  const calls = Object.entries(training).filter(([name]) => whole.test(name));
  assert.equal(calls.length, 2 * Object.keys(training.trainingCalls).length + 2);
  // Only records have a kind.
  const kinds = Object.entries({ ...records, ...release1 }).filter(
    ([, exported]) => exported instanceof z.ZodObject && 'kind' in exported.shape,
  );
  const versions = Object.values(recordFormats).flatMap((format) => Object.values(format));
  assert.deepEqual(new Set(kinds.map(([, schema]) => schema)), new Set<unknown>(versions));
  for (const [name, schema] of [...calls, ...kinds]) {
    assert(schema instanceof z.ZodType, name);
    assert(isPublished(schema), `${name}: expected a file in contracts/schemas, found none`);
  }
});

test('a call that is exported is one of the calls, and each has a queue', () => {
  const ofCalls = new Set<unknown>(
    Object.values(training.trainingCalls).flatMap(({ input, result }) => [input, result]),
  );
  for (const [name, schema] of Object.entries(training)) {
    if (/(Input|Result)Schema$/.test(name)) assert(ofCalls.has(schema), `${name} is of no call`);
  }
  assert.deepEqual(Object.keys(training.callQueues), Object.keys(training.trainingCalls));
  assert.equal(training.callQueues.acquire, queues.trainer);
});

test('every kind of record has a schema under its name, and a table of tensors', () => {
  assert.deepEqual(Object.keys(recordFormats), Object.keys(recordTensors));
  for (const [kind, format] of Object.entries(recordFormats)) {
    for (const schema of Object.values(format)) assert.equal(schema.shape.kind.value, kind);
  }
});

test('the names of axes and sums in the tables of tensors are consistent', () => {
  for (const [kind, { tensors, perReward = {} }] of Object.entries(recordTensors)) {
    const specs = Object.entries({ ...tensors, ...perReward });
    for (const [name, spec] of specs) {
      const where = `${kind}.${name}`;
      assert(spec.about.length > 0, where);
      if ('texts' in spec || spec.sumsTo === undefined) continue;
      const { sumsTo } = spec;
      assert(
        specs.some(([, other]) => 'axes' in other && other.axes.includes(sumsTo)),
        `${where}: ${sumsTo}`,
      );
    }
    for (const name of Object.keys(tensors).filter((key) => key.endsWith('.sha256'))) {
      assert(name.slice(0, -'.sha256'.length) in tensors, `${kind}.${name} is of no column`);
    }
  }
});

test('every kind of failure says what it means in one sentence or more', () => {
  for (const [kind, { meaning }] of Object.entries(failures)) assert.match(meaning, /^[A-Z].*\.$/, kind);
});

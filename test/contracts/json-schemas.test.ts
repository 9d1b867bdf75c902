import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { documents } from '../../contracts/documents.ts';
import { schemaFiles } from '../../contracts/json-schemas.ts';
import { PROJECT_ROOT } from '../../infra/paths.ts';

const folder = join(PROJECT_ROOT, 'contracts', 'schemas');

test('the JSON Schemas match the contracts; `npm run schemas` regenerates them', () => {
  const files = schemaFiles();
  const found = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.json'),
  );
  assert.deepEqual(found.sort(), [...files.keys()].sort());
  for (const [name, text] of files) assert.equal(readFileSync(join(folder, name), 'utf8'), text, name);
});

test('every command with --json has its schema', () => {
  const files = schemaFiles();
  for (const name of Object.keys(documents)) assert(files.has(`${name}.json`), name);
});

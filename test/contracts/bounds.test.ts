import assert from 'node:assert/strict';
import { test } from 'node:test';
import { schemaFiles } from '../../contracts/json-schemas.ts';

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
type Group = { [key: string]: Json };

const isGroup = (value: Json): value is Group =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Every node of a JSON Schema for a number, with its path. */
function numbersOf(schema: Json, path: string): { path: string; node: Group }[] {
  if (Array.isArray(schema)) return schema.flatMap((item, n) => numbersOf(item, `${path}[${n}]`));
  if (!isGroup(schema)) return [];
  const types = [schema.type].flat();
  const own = types.includes('number') || types.includes('integer') ? [{ path, node: schema }] : [];
  return [...own, ...Object.entries(schema).flatMap(([key, value]) => numbersOf(value, `${path}.${key}`))];
}

const all = [...schemaFiles()].flatMap(([file, text]) => numbersOf(JSON.parse(text), file));
const limit = (node: Group, of: 'min' | 'max') =>
  of === 'min' ? (node.minimum ?? node.exclusiveMinimum) : (node.maximum ?? node.exclusiveMaximum);

test('every number of every JSON Schema has a minimum and a maximum', () => {
  assert(all.length > 400, String(all.length));
  const open = all.filter(({ node }) => {
    const isConstant = node.const !== undefined || node.enum !== undefined;
    return !isConstant && (limit(node, 'min') === undefined || limit(node, 'max') === undefined);
  });
  assert.deepEqual(
    open.map(({ path }) => path),
    [],
  );
});

test('numbers of recipes have specific bounds, not only those of JSON', () => {
  const open = all.filter(({ path, node }) => {
    const isWritten = path.startsWith('recipes/') && !path.endsWith('.seed');
    return isWritten && Number(limit(node, 'max')) >= Number.MAX_SAFE_INTEGER;
  });
  assert.deepEqual(
    open.map(({ path }) => path),
    [],
  );
});

/** What an import makes of data files as people have them: one table a kind, one test a shape. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { tools } from '../../../rewards/support.ts';
import { shapes as decontamination } from './shapes/decontamination.ts';
import { shapes as encodings } from './shapes/encodings.ts';
import { shapes as nulls } from './shapes/nulls.ts';
import { shapes as numbers } from './shapes/numbers.ts';
import { shapes as reasoning } from './shapes/reasoning.ts';
import { shapes as splits } from './shapes/splits.ts';
import { shapes as truths } from './shapes/truths.ts';
import { verdictOf } from './shapes/verdict.ts';

after(() => tools.close());

const tables = { splits, nulls, reasoning, encodings, numbers, truths, decontamination };

for (const [kind, shapes] of Object.entries(tables)) {
  for (const shape of shapes) {
    test(`${kind}: ${shape.name}`, async () => assert.equal(await verdictOf(shape), shape.expected));
  }
}

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sandboxOf, whySkip } from '../rewards/code/support.ts';
import { isExpected, kinds, readCases, verdictsOn } from './cases.ts';

const noSandbox = await whySkip(sandboxOf());

for (const kind of kinds) {
  const cases = readCases(kind);
  const skip = cases.some(({ domain }) => domain === 'code') && noSandbox;
  test(`${kind}: every case has the expected verdict`, { skip }, async () => {
    const verdicts = await verdictsOn(cases);
    const wrong = cases.flatMap(({ id, expected }, i) =>
      isExpected(expected, verdicts[i] ?? 'error') ? [] : [{ id, expected, found: verdicts[i] }],
    );
    assert.deepEqual(wrong, []);
  });
}

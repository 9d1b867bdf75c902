import { test } from 'node:test';
import { assertNumericsChange, continuedWith, openRestored, PATIENCE } from './old-release.ts';

test(
  'under other numerics a run of an earlier release ends, and the change is recorded at its first new step',
  PATIENCE,
  async () => {
    const ground = await openRestored();
    try {
      assertNumericsChange(await continuedWith(ground, 2));
    } finally {
      await ground.close();
    }
  },
);

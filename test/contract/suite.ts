/**
 * The contract as tests: any worker must pass them. They play the orchestrator over Temporal and S3, make requests and
 * batches from the published tables, and check every result and every record.
 */
import { test } from 'node:test';
import { openCase } from './case.ts';
import { testCheckpoints } from './cases/checkpoints.ts';
import { testCrashes } from './cases/crashes.ts';
import { testHeartbeats } from './cases/heartbeats.ts';
import { testOldMessages } from './cases/old-messages.ts';
import { testRecords } from './cases/records.ts';
import { testRefusals } from './cases/refusals.ts';
import { testRepeats } from './cases/repeats.ts';
import { testSampling } from './cases/sampling.ts';
import type { WorkerKind } from './session.ts';

export function testContract(kind: WorkerKind): void {
  test(`the training contract, by ${kind.name}`, { timeout: 15 * 60_000 }, async (t) => {
    const given = await openCase(t, kind);
    await testRecords(t, given);
    await testRepeats(t, given);
    await testCheckpoints(t, given);
    await testSampling(t, given);
    await testRefusals(t, given);
    await testOldMessages(t, given);
    await testHeartbeats(t, given);
    await testCrashes(t, given);
  });
}

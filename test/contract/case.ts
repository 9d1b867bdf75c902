/** What all cases of the suite start from. */
import type { TestContext } from 'node:test';
import { createObjectStore } from '../../stores/objects/objects.ts';
import { withStack } from '../helpers/stack.ts';
import { type LoggedStep, logThreeSteps, type SampledShard } from './logged.ts';
import { Session, type WorkerKind } from './session.ts';
import { openCaller } from './temporal.ts';

/** A session, and a history of three steps that nothing disturbed. */
export interface Case {
  session: Session;
  steps: readonly LoggedStep[];
  shards: readonly SampledShard[];
}

/** Opens servers and a worker for the length of one test, and logs three steps. */
export async function openCase(t: TestContext, kind: WorkerKind): Promise<Case> {
  const stack = await withStack(t);
  const objects = createObjectStore(stack.s3);
  const base = await kind.storeBase(objects);
  const namespace = `contract-${stack.id}`;
  const caller = await openCaller(stack.temporal.address, namespace);
  const connections = { temporal: { address: stack.temporal.address, namespace }, s3: stack.s3 };
  const session = new Session({ kind, objects, base, caller, connections });
  t.after(() => session.close());
  const trainer = await session.acquire();
  const logged = await logThreeSteps(trainer);
  await trainer.release();
  return { session, ...logged };
}

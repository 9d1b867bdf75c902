import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Heartbeat, heartbeatSchema } from '../../../contracts/training.ts';
import type { Case } from '../case.ts';
import { storeRequest } from '../logged.ts';
import type { Running } from '../temporal.ts';

/** Enough to see progress between them. */
const HEARTBEATS = 3;
const MOST_PROMPTS = 100_000;

async function heartbeatsOf(call: Running): Promise<Heartbeat[]> {
  const seen: Heartbeat[] = [];
  for (;;) {
    const state = await call.state();
    if (state === null) break;
    if (state.heartbeat != null) {
      const found = heartbeatSchema.parse(state.heartbeat);
      if (JSON.stringify(found) !== JSON.stringify(seen.at(-1))) seen.push(found);
    }
    if (seen.length === HEARTBEATS) break;
    await sleep(200);
  }
  return seen;
}

export async function testHeartbeats(t: TestContext, { session }: Case): Promise<void> {
  await t.test('heartbeats of a long call are of the contract, and show its progress', async () => {
    const trainer = await session.acquire();
    const policy = session.basePolicy;
    for (let prompts = 256; ; prompts *= 4) {
      assert(
        prompts < MOST_PROMPTS,
        `expected ${HEARTBEATS} different heartbeats, found fewer in every call`,
      );
      const request = await storeRequest(session, { seed: 51, prompts });
      const call = await trainer.start('sample', { request, policy });
      const seen = await heartbeatsOf(call);
      if (seen.length < HEARTBEATS) continue;
      for (const [index, { phase, done, of, step, tokens }] of seen.entries()) {
        assert.equal(step, 0);
        if (of !== null) assert(done <= of);
        const before = seen[index - 1];
        if (before === undefined) continue;
        assert(tokens >= before.tokens);
        if (phase === before.phase) assert(done >= before.done);
      }
      const last = seen.at(-1);
      assert.equal(last?.phase, 'sampling');
      assert(last.tokens > (seen[0]?.tokens ?? 0), 'tokens grow');
      // The process is not needed any more: to wait for the whole call would take long.
      await call.abandon();
      break;
    }
    await trainer.kill();
  });
}

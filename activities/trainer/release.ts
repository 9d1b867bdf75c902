import type { ReleaseInput } from '../../contracts/training.ts';
import { collectGarbage } from '../../engine/runtime/memory.ts';
import { settleCheckpoint } from './checkpoint.ts';
import { sameLease, type TrainerContext } from './held-policy.ts';

/** Frees the policy's memory, after a checkpoint under way, and the trainer for another lease. */
export function release(context: TrainerContext, { lease }: ReleaseInput): Promise<object> {
  return context.exclusive(async () => {
    const { held } = context;
    if (held === null || !sameLease(held.lease, lease)) return {};
    await settleCheckpoint(held);
    await context.engine.call('release');
    // The engine's previous result, possibly a whole checkpoint, can be freed only now.
    collectGarbage();
    context.held = null;
    context.onLease(null);
    return {};
  });
}

import type { ReleaseInput } from '../../contracts/training.ts';
import { collectGarbage } from '../../engine/runtime/memory.ts';
import { sameLease, type TrainerContext } from './held-policy.ts';

/** Frees the policy's memory, and the trainer for another lease. */
export function release(context: TrainerContext, { lease }: ReleaseInput): Promise<void> {
  return context.exclusive(async () => {
    if (context.held === null || !sameLease(context.held.lease, lease)) return;
    await context.engine.call('release');
    // The engine's previous result, possibly a whole checkpoint, can be freed only now.
    collectGarbage();
    context.held = null;
    context.onLease(null);
  });
}

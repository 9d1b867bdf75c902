import type { ReleaseInput } from '../../contracts/training.ts';
import { collectGarbage } from '../../engine/runtime/memory.ts';
import { sameLease, type TrainerRoom } from './held-policy.ts';

/** Gives the policy's memory back and frees the trainer for another lease. */
export function release(room: TrainerRoom, { lease }: ReleaseInput): Promise<void> {
  return room.exclusive(async () => {
    if (room.held === null || !sameLease(room.held.lease, lease)) return;
    await room.engine.call('release');
    // The engine's last answer before this one, a checkpoint perhaps, is let go of only now.
    collectGarbage();
    room.held = null;
    room.onLease(null);
  });
}

import type { ReleaseInput } from '../contracts/training.ts';
import { sameLease, type TrainerRoom } from './trainer-room.ts';

/** Gives the policy's memory back and frees the trainer for another lease. */
export function release(room: TrainerRoom, { lease }: ReleaseInput): Promise<void> {
  return room.exclusive(async () => {
    if (room.held === null || !sameLease(room.held.lease, lease)) return;
    await room.engine.call('release');
    room.held = null;
    room.onLease(null);
  });
}

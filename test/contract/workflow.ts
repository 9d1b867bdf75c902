/** A workflow that makes one call to a worker, as the orchestrator does. */
import { scheduleActivity } from '@temporalio/workflow';
import type { Call } from './temporal.ts';

export async function oneCall({ name, queue, input, waitMs, heartbeatMs }: Call): Promise<unknown> {
  return await scheduleActivity(name, [input], {
    taskQueue: queue,
    scheduleToStartTimeout: waitMs,
    startToCloseTimeout: '1 hour',
    heartbeatTimeout: heartbeatMs,
    retry: { maximumAttempts: 1 },
  });
}

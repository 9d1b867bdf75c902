import type { TrainerContext } from '../activities/trainer/held-policy.ts';
import { release } from '../activities/trainer/release.ts';
import type { Lease } from '../contracts/identity.ts';

/** A lease without a call for this long is released: its workflow has ended or uses another trainer. */
const IDLE_LEASE_MS = 15 * 60_000;
/** How often a trainer without calls checks whether another one has taken over. */
const IDLE_CHECK_MS = 5_000;

interface WatchedLease {
  context: TrainerContext;
  /** whether another trainer has taken over; a rejection means that it is not known now */
  isSuperseded: (lease: Lease) => Promise<boolean>;
  log: (line: string) => void;
}

/** Releases a lease that its workflow no longer uses. */
export interface LeaseWatch {
  /** Called at the start of every activity. */
  called(): void;
  /**
   * Called after an activity whose heartbeats stopped for longer than the server's timeout. If the server has timed the
   * activity out, the workflow acquires another trainer; if not, the lease is still valid. The workflow knows.
   */
  hadHeartbeatGap(activity: string, seconds: number): Promise<void>;
  stop(): void;
}

export function watchLease({ context, isSuperseded, log }: WatchedLease): LeaseWatch {
  let lastCall = Date.now();
  let checking = false;
  const checks = setInterval(() => void check(), IDLE_CHECK_MS);

  async function check(): Promise<void> {
    const idle = Date.now() - lastCall;
    if (context.held === null || idle < IDLE_CHECK_MS || checking) return;
    checking = true;
    try {
      if (idle >= IDLE_LEASE_MS) await releaseLease(`no call for ${IDLE_LEASE_MS / 60_000} minutes`);
      else await releaseIfSuperseded('another trainer has taken over');
    } finally {
      checking = false;
    }
  }

  async function releaseIfSuperseded(why: string): Promise<void> {
    if (context.held === null) return;
    // Where the workflow does not answer, the next check asks it again.
    if (await isSuperseded(context.held.lease).catch(() => false)) await releaseLease(why);
  }

  async function releaseLease(why: string): Promise<void> {
    if (context.held === null) return;
    const { lease } = context.held;
    log(`${why}: releasing ${lease.run}/${lease.stage} term ${lease.term}`);
    await release(context, { lease });
  }

  return {
    called() {
      lastCall = Date.now();
    },
    async hadHeartbeatGap(activity, seconds) {
      log(`no heartbeat for ${seconds.toFixed(0)} s during ${activity}`);
      await releaseIfSuperseded('another trainer has taken over meanwhile');
    },
    stop: () => clearInterval(checks),
  };
}

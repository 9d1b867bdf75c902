import type { TrainerContext } from '../activities/trainer/held-policy.ts';
import { release } from '../activities/trainer/release.ts';
import type { Lease } from '../contracts/identity.ts';

/** A lease on which no call has come for so long is given back: its workflow has gone elsewhere. */
const IDLE_LEASE_MS = 15 * 60_000;
/** How often a trainer that nobody calls asks whether another has taken over. */
const IDLE_LOOK_MS = 5_000;

interface WatchedLease {
  context: TrainerContext;
  /** whether another trainer has taken over; a rejection: nobody knows now */
  isSuperseded: (lease: Lease) => Promise<boolean>;
  say: (line: string) => void;
}

/** Gives a lease back that its workflow has left without a word. */
export interface LeaseWatch {
  /** A call has come. */
  called(): void;
  /**
   * The process was silent during a call for longer than the server waits. The server may have given it up, and then
   * the workflow acquires another trainer; or it has not, and the lease is as good as before. The rows know.
   */
  wasSilent(activity: string, seconds: number): Promise<void>;
  stop(): void;
}

export function watchLease({ context, isSuperseded, say }: WatchedLease): LeaseWatch {
  let lastCall = Date.now();
  const looks = setInterval(() => void look(), IDLE_LOOK_MS);

  async function look(): Promise<void> {
    const idle = Date.now() - lastCall;
    if (context.held === null || idle < IDLE_LOOK_MS) return;
    if (idle >= IDLE_LEASE_MS) await giveBack(`no call for ${IDLE_LEASE_MS / 60_000} minutes`);
    else await giveBackWhereSuperseded('another trainer has taken over');
  }

  async function giveBackWhereSuperseded(why: string): Promise<void> {
    if (context.held === null) return;
    // A database that does not answer now is asked again at the next look.
    if (await isSuperseded(context.held.lease).catch(() => false)) await giveBack(why);
  }

  async function giveBack(why: string): Promise<void> {
    if (context.held === null) return;
    const { lease } = context.held;
    say(`${why}: gives back ${lease.run}/${lease.stage} term ${lease.term}`);
    await release(context, { lease });
  }

  return {
    called() {
      lastCall = Date.now();
    },
    async wasSilent(activity, seconds) {
      say(`silent for ${seconds.toFixed(0)} s during ${activity}`);
      await giveBackWhereSuperseded('another trainer has taken over meanwhile');
    },
    stop: () => clearInterval(looks),
  };
}

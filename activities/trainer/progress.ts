import { AsyncLocalStorage } from 'node:async_hooks';
import type { Heartbeat } from '../../contracts/training.ts';
import type { EngineThread } from '../../engine/service/thread.ts';

/** What a call does at a moment. */
export type CallMoment = Pick<Heartbeat, 'phase' | 'done' | 'of' | 'tokens'> & {
  /** whether the engine computes; else the call waits for its turn, or for the object store, which has time-outs */
  computes: boolean;
};

/** The progress of one call to a trainer: that of the engine while it computes for the call, or its own. */
export class CallProgress {
  private own: CallMoment = { phase: 'loading', done: 0, of: null, tokens: 0, computes: false };
  private engine: Pick<EngineThread, 'progress'> | null = null;

  now(): CallMoment {
    return this.engine === null ? this.own : { ...this.engine.progress(), computes: true };
  }

  /** The engine computes for this call until `work` has ended. */
  async computing<Result>(
    engine: Pick<EngineThread, 'progress'>,
    work: () => Promise<Result>,
  ): Promise<Result> {
    this.engine = engine;
    try {
      return await work();
    } finally {
      this.own = { ...this.now(), computes: false };
      this.engine = null;
    }
  }

  /** Progress outside of the engine. */
  is(phase: Heartbeat['phase'], done: number, of: number): void {
    this.own = { ...this.own, phase, done, of };
  }
}

const calls = new AsyncLocalStorage<CallProgress>();

/** Runs a call; what it does is reported to `progress`. */
export const trackCall = <Result>(progress: CallProgress, call: () => Promise<Result>): Promise<Result> =>
  calls.run(progress, call);

/** Reports what the current call does outside of the engine. */
export const reportProgress = (phase: Heartbeat['phase'], done: number, of: number): void =>
  calls.getStore()?.is(phase, done, of);

/** The engine, whose progress counts as that of the call which it computes for. */
export function trackedEngine(engine: EngineThread): EngineThread {
  const tracked =
    (call: EngineThread['call']): EngineThread['call'] =>
    (name, ...args) => {
      const progress = calls.getStore();
      const work = () => call(name, ...args);
      return progress === undefined ? work() : progress.computing(engine, work);
    };
  return { ...engine, call: tracked(engine.call), callMoving: tracked(engine.callMoving) };
}

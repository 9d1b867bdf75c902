/** Handles Ctrl-C. */
import { setTimeout as sleep } from 'node:timers/promises';
import { EXIT, Interrupted } from './errors.ts';

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** Time for interrupted `work` to leave the terminal tidy. */
const TIDY_MILLISECONDS = 300;

/**
 * Runs `work` until it ends or Ctrl-C is pressed. Ctrl-C aborts the signal of `work`, awaits `stop` and throws
 * Interrupted with the text that `stop` returned. A second Ctrl-C exits at once.
 */
export async function interruptible<Result>(
  work: (signal: AbortSignal) => Promise<Result>,
  stop: () => Promise<string> | string,
): Promise<Result> {
  const controller = new AbortController();
  const pressed = new Promise<never>((_, reject) => {
    controller.signal.addEventListener('abort', () => reject(new Interrupted('')));
  });
  const onSignal = () => {
    if (controller.signal.aborted) process.exit(EXIT.interrupted);
    controller.abort();
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  const working = work(controller.signal);
  try {
    return await Promise.race([working, pressed]);
  } catch (error) {
    if (!controller.signal.aborted) throw error;
    // Pending work may fail as its connections close: that error is of no use.
    const ended = working.then(
      () => undefined,
      () => undefined,
    );
    await Promise.race([ended, sleep(TIDY_MILLISECONDS)]);
    throw new Interrupted(await stop());
  } finally {
    for (const signal of SIGNALS) process.off(signal, onSignal);
  }
}

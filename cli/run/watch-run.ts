import { waysOn, waysText } from '../../algorithm/run/next-commands.ts';
import type { ShowDocument } from '../../contracts/documents.ts';
import { listSteps } from '../../stores/steps/steps.ts';
import { CommandError } from '../errors.ts';
import type { Connections } from '../stack/connections.ts';
import { followRun, parkedReason, type RunSource } from './follow-run.ts';
import { createLiveLine } from './live-line.ts';
import { readShow } from './run-rows.ts';
import { queryProgress } from './workflow-client.ts';

/**
 * Shows a run's live line until it is complete. Throws CommandError where it is aborted or parks, saying why;
 * Interrupted when the signal says so.
 */
export async function watchRun(
  connections: Connections,
  run: string,
  signal: AbortSignal,
): Promise<ShowDocument> {
  const source = await sourceOf(connections, run);
  const ended = await followRun(source, { line: createLiveLine(), signal });
  const parked = parkedReason(ended);
  if (parked !== null) {
    throw new CommandError(
      `${run} is parked and waits for you. ${parked}\n` +
        `Mend the cause; then ${waysText(waysOn('parked', run))}`,
    );
  }
  if (ended.status === 'aborted') throw new CommandError(`${run} was aborted; its checkpoints stay.`);
  return ended;
}

async function sourceOf({ database, temporal }: Connections, run: string): Promise<RunSource> {
  const db = await database();
  return {
    show: () => readShow(db, run, { quick: true }),
    recentSteps: (stage, after) => listSteps(db, run, { stage, after }),
    progress: async (key) => queryProgress(await temporal(), key),
  };
}

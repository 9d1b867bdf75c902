/** `r1 gc`: deletes checkpoints beyond their stages' limits, and objects that no row refers to. */
import type { Command } from 'commander';
import type { WatchedStores } from '../../activities/dependencies.ts';
import { noFailpoints } from '../../activities/failpoints.ts';
import { retainCheckpoints } from '../../activities/retention/delete-checkpoints.ts';
import { deleteDueObjects, TAKE_OVER_SECONDS } from '../../activities/retention/delete-objects.ts';
import { findOrphans } from '../../activities/retention/find-orphans.ts';
import type { GcDocument } from '../../contracts/documents.ts';
import { readSettings } from '../../infra/settings.ts';
import { getRun, listRuns } from '../../stores/runs/runs.ts';
import { listMarks, markObjects } from '../../stores/steps/deletion-marks.ts';
import { retentionOf } from '../../stores/steps/retention.ts';
import { dateTime, size } from '../output/figures.ts';
import { examples, jsonOption, printResult, tableText } from '../output/output.ts';
import { withConnections } from '../stack/connections.ts';

export const commands = { gc: defineGc };

interface GcOptions {
  dryRun?: boolean;
  json?: boolean;
}

function defineGc(command: Command): void {
  command
    .description(
      'Delete the checkpoints that the limits of their stages do not keep, objects of checkpoints that were never committed, ' +
        'and marked objects whose grace (R1_GRACE_MINUTES) is over. Runs delete by themselves at each checkpoint; this is ' +
        'for what is left after them.',
    )
    .option('--dry-run', 'list what would be deleted, and change nothing')
    .option(...jsonOption('gc'))
    .addHelpText('after', examples('r1 gc --dry-run', 'r1 gc'))
    .action(({ json, dryRun = false }: GcOptions) =>
      withConnections(async (connections) => {
        const [database, objects] = [await connections.database(), await connections.objects()];
        const stores = { database, objects, failpoints: noFailpoints };
        const collected = await collect(stores, 60 * readSettings().graceMinutes, dryRun);
        printResult(json, 'gc', collected, gcText);
      }),
    );
}

/** Marks, then deletes what is due, until nothing is. */
export async function collect(
  stores: WatchedStores,
  graceSeconds: number,
  dryRun: boolean,
): Promise<GcDocument> {
  const { database, objects } = stores;
  const checkpoints: GcDocument['checkpoints'] = [];
  for (const { run } of await listRuns(database)) {
    for (const { stage, options } of (await getRun(database, run)).plan.stages) {
      const { deleted } = await retentionOf(database, { run, stage }, options);
      checkpoints.push(
        ...deleted.map(({ branch, step, bytes, reason }) => ({ run, stage, branch, step, bytes, reason })),
      );
      if (!dryRun && deleted.length > 0) await retainCheckpoints(stores, { run, stage }, options);
    }
  }
  const orphans = await findOrphans(stores);
  const deleted = { objects: 0, bytes: 0 };
  if (!dryRun) {
    await database.transaction((tx) => markObjects(tx, orphans));
    for (;;) {
      const some = await deleteDueObjects(stores, { graceSeconds, takeOverSeconds: TAKE_OVER_SECONDS });
      if (some.objects === 0) break;
      deleted.objects += some.objects;
      deleted.bytes += some.bytes;
    }
  }
  const waiting = await listMarks(database, objects.bucket);
  const found = dryRun ? orphans.map((orphan) => ({ ...orphan, markedAt: null })) : [];
  return { dryRun, checkpoints, objects: [...found, ...waiting], deleted };
}

export function gcText({ dryRun, checkpoints, objects, deleted }: GcDocument): string {
  const rows = [
    ...checkpoints.map(({ run, stage, branch, step, bytes, reason }) => [
      `${run}/${stage}@${step}${branch === 0 ? '' : `, branch ${branch}`}`,
      size(bytes),
      '',
      reason,
    ]),
    ...objects.map(({ uri, bytes, reason, markedAt }) => [uri, size(bytes), dateTime(markedAt), reason]),
  ];
  const total = objects.reduce((sum, { bytes }) => sum + bytes, 0);
  return [
    ...(rows.length === 0 ? [] : [tableText(['checkpoint or object', 'bytes', 'marked', 'why'], rows)]),
    dryRun
      ? `${checkpoints.length} checkpoints and ${objects.length} objects (${size(total)}) would be deleted or wait for it. Nothing was changed.`
      : `Deleted ${checkpoints.length} checkpoints and ${deleted.objects} objects (${size(deleted.bytes)}); ` +
        `${objects.length} objects (${size(total)}) wait until their grace is over.`,
  ].join('\n\n');
}

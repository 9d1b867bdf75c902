/** `r1 up`, `down` and `status`: the local stack. */
import type { Command } from 'commander';
import type { StatusDocument } from '../../contracts/documents.ts';
import { type FullDisk, fullDisks, fullDiskText } from '../../infra/machine/disks.ts';
import { MIGRATIONS } from '../../infra/paths.ts';
import { withoutPassword } from '../../infra/servers/postgres.ts';
import { readSettings } from '../../infra/settings.ts';
import { ensureWorkers, findStack, type Stack, startStack, stopStack } from '../../infra/stack.ts';
import { localWorkers } from '../../infra/supervisor/workers.ts';
import { migrate } from '../../stores/database/migrate.ts';
import { createObjectStore } from '../../stores/objects/objects.ts';
import { listTrainerQueue } from '../../stores/runs/trainer-queue.ts';
import { dateTime } from '../output/figures.ts';
import { examples, jsonOption, printLine, printResult, tableText } from '../output/output.ts';
import { runningStack, withConnections } from './connections.ts';

export const commands = { up: defineUp, down: defineDown, status: defineStatus };

function defineUp(command: Command): void {
  command
    .description(
      'Start Temporal, PostgreSQL, S3 and the workers on this machine. Whatever runs already is left as it is. ' +
        'Data and logs are kept in .r1/ (R1_HOME). R1_TEMPORAL_ADDRESS, R1_DATABASE_URL and R1_S3_ENDPOINT select servers elsewhere.',
    )
    .option(...jsonOption('status'))
    .addHelpText('after', examples('r1 up', 'R1_DATABASE_URL=postgres://me:secret@db:5432/r1 r1 up'))
    .action(async ({ json }: { json?: boolean }) => {
      const status = await readStatus(await bringUp(logProgress));
      const text = () => `${addressText(status)}\nThe stack is up. Stop it with \`r1 down\`.`;
      printResult(json, 'status', status, text);
    });
}

function defineDown(command: Command): void {
  command
    .description(
      'Stop the workers and the local servers. Runs keep what they have committed and continue after the next `r1 up`.',
    )
    .option('--purge', 'also remove all data: runs, checkpoints, histories and logs')
    .addHelpText('after', examples('r1 down', 'r1 down --purge'))
    .action(async ({ purge = false }: { purge?: boolean }) => {
      const ran = await stopStack({ purge, onProgress: logProgress });
      printLine(ran ? 'The stack is stopped.' : 'The stack was not running.');
    });
}

function defineStatus(command: Command): void {
  command
    .description('Show the addresses of the servers, the processes, and the queue for trainers.')
    .option(...jsonOption('status'))
    .addHelpText('after', examples('r1 status', 'r1 status --json'))
    .action(async ({ json }: { json?: boolean }) => {
      const status = await readStatus(runningStack());
      printResult(json, 'status', status, statusText);
    });
}

/** Prints a line of progress to standard error. */
export const logProgress = (line: string): void => void process.stderr.write(`${line}\n`);

/** Starts whatever does not run yet: servers, then schema and bucket, then the workers that need them. */
export async function bringUp(onProgress: (line: string) => void): Promise<Stack> {
  await checkExternalS3();
  const servers = await startStack({ workers: false, onProgress });
  await withConnections(async ({ database, objects }) => {
    const ran = await migrate(await database(), MIGRATIONS);
    if (ran.length > 0) onProgress(`database schema: ran ${ran.join(', ')}`);
    await (await objects()).ensureBucket();
  }, servers);
  await ensureWorkers(localWorkers(readSettings().trainers));
  return findStack() ?? runningStack();
}

/** An external S3 is tried first: where it refuses access, nothing is started or written. */
async function checkExternalS3(): Promise<void> {
  const { endpoint, accessKeyId = '', secretAccessKey = '', ...place } = readSettings().s3;
  if (endpoint === undefined) return;
  const objects = createObjectStore({ ...place, endpoint, accessKeyId, secretAccessKey });
  try {
    await objects.ensureBucket();
  } finally {
    objects.close();
  }
}

const SERVERS = ['temporal', 'postgres', 's3'] as const;

/** Temporal's development server supports neither certificates nor passwords. */
const OPEN = ', open to every user of this machine';

/** The document of `r1 status`, without secrets. The queue is null where the database does not answer. */
export function statusOf(stack: Stack, queue: StatusDocument['queue']): StatusDocument {
  const { temporal, postgres, s3, processes } = stack;
  const own = processes.map(({ name, role, identity, state }) => {
    return { name, role, pid: identity?.pid ?? null, state };
  });
  const external = SERVERS.filter((role) => !own.some((process) => process.role === role));
  return {
    temporal: {
      address: temporal.address,
      ui: temporal.ui,
      openTo: external.includes('temporal') ? null : 'every local user',
    },
    postgres: { url: withoutPassword(postgres.url) },
    s3: { endpoint: s3.endpoint, bucket: s3.bucket },
    processes: [
      ...external.map((role) => ({ name: role, role, pid: null, state: 'external' as const })),
      ...own,
    ],
    queue,
    fullDisks: fullDisks(stack),
  };
}

/** The status with the queue; without it where the database is unavailable. */
async function readStatus(stack: Stack): Promise<StatusDocument> {
  const queue = withConnections(async ({ database }) => listTrainerQueue(await database()), stack);
  return statusOf(stack, await queue.catch(() => null));
}

function statusText({ processes, queue, fullDisks, ...addresses }: StatusDocument): string {
  const rows = processes.map(({ name, pid, state }) => [name, state, pid === null ? '–' : String(pid)]);
  const parts = [addressText(addresses), tableText(['process', 'state', 'pid'], rows)];
  if (queue !== null && queue.length > 0) parts.push(queueText(queue));
  if (fullDisks.length > 0) parts.push(disksText(fullDisks));
  return parts.join('\n\n');
}

function queueText(queue: NonNullable<StatusDocument['queue']>): string {
  const rows = queue.map(({ place, run, stage, since }) => [
    String(place),
    `${run}/${stage}`,
    dateTime(since),
  ]);
  return tableText(['place', 'waits for a trainer', 'since'], rows);
}

const disksText = (disks: readonly FullDisk[]) => disks.map((disk) => `! ${fullDiskText(disk)}`).join('\n');

export function addressText({
  temporal,
  postgres,
  s3,
}: Pick<StatusDocument, 'temporal' | 'postgres' | 's3'>): string {
  return [
    `Temporal    ${temporal.address}${temporal.openTo === null ? '' : OPEN}`,
    `  its UI    ${temporal.ui ?? '(unknown: an external server)'}`,
    `PostgreSQL  ${postgres.url}`,
    `S3          ${s3.endpoint}, bucket ${s3.bucket}`,
  ].join('\n');
}

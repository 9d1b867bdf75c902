import type { StatusDocument } from '../../contracts/documents.ts';
import { type FullDisk, fullDisks, fullDiskText } from '../../infra/machine/disks.ts';
import { withoutPassword } from '../../infra/servers/postgres.ts';
import type { Stack } from '../../infra/stack.ts';
import { listTrainerQueue } from '../../stores/runs/trainer-queue.ts';
import { moment } from '../output/figures.ts';
import { tableText } from '../output/output.ts';
import { withConnections } from './connections.ts';

const SERVERS = ['temporal', 'postgres', 's3'] as const;

/** Its development server knows neither certificates nor passwords. */
const OPEN = ', open to every user of this machine';

/** What `r1 status` tells of a running stack; no secret in it. The queue is null where the database does not answer. */
export function statusOf(stack: Stack, queue: StatusDocument['queue']): StatusDocument {
  const { temporal, postgres, s3, processes } = stack;
  const own = processes.map(({ name, role, identity, state }) => ({
    name,
    role,
    pid: identity?.pid ?? null,
    state,
  }));
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

/** The same with the queue; everything else is told where the database is away. */
export async function readStatus(stack: Stack): Promise<StatusDocument> {
  const queue = withConnections(async ({ database }) => listTrainerQueue(await database()), stack);
  return statusOf(stack, await queue.catch(() => null));
}

/** The addresses and the processes as a person reads them. */
export function statusText({ processes, queue, fullDisks, ...addresses }: StatusDocument): string {
  const rows = processes.map(({ name, pid, state }) => [name, state, pid === null ? '–' : String(pid)]);
  const parts = [addressText(addresses), tableText(['process', 'state', 'pid'], rows)];
  if (queue !== null && queue.length > 0) parts.push(queueText(queue));
  if (fullDisks.length > 0) parts.push(disksText(fullDisks));
  return parts.join('\n\n');
}

function queueText(queue: NonNullable<StatusDocument['queue']>): string {
  const rows = queue.map(({ place, run, stage, since }) => [String(place), `${run}/${stage}`, moment(since)]);
  return tableText(['place', 'waits for a trainer', 'since'], rows);
}

const disksText = (disks: readonly FullDisk[]) => disks.map((disk) => `! ${fullDiskText(disk)}`).join('\n');

/** Where the servers are: printed whenever they are brought up. */
export function addressText({
  temporal,
  postgres,
  s3,
}: Pick<StatusDocument, 'temporal' | 'postgres' | 's3'>): string {
  return [
    `Temporal    ${temporal.address}${temporal.openTo === null ? '' : OPEN}`,
    `  its UI    ${temporal.ui ?? '(not known: the server is not ours)'}`,
    `PostgreSQL  ${postgres.url}`,
    `S3          ${s3.endpoint}, bucket ${s3.bucket}`,
  ].join('\n');
}

import type { StatusDocument } from '../contracts/documents.ts';
import { type FullDisk, fullDisks, fullDiskText } from '../infra/disks.ts';
import { withoutPassword } from '../infra/postgres.ts';
import type { Stack } from '../infra/stack.ts';
import { tableText } from './output.ts';

const SERVERS = ['temporal', 'postgres', 's3'] as const;

/** Its development server knows neither certificates nor passwords. */
const OPEN = ', open to every user of this machine';

/** What `r1 status` tells of a running stack; no secret in it. */
export function statusOf(stack: Stack): StatusDocument {
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
    fullDisks: fullDisks(stack),
  };
}

/** The addresses and the processes as a person reads them. */
export function statusText({ processes, fullDisks, ...addresses }: StatusDocument): string {
  const rows = processes.map(({ name, pid, state }) => [name, state, pid === null ? '–' : String(pid)]);
  const disks = fullDisks.length === 0 ? [] : ['', disksText(fullDisks)];
  return [addressText(addresses), '', tableText(['process', 'state', 'pid'], rows), ...disks].join('\n');
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

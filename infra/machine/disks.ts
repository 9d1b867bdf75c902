import { statfsSync, statSync } from 'node:fs';
import type { Stack } from '../stack.ts';

/** A disk that the stack writes to and that has too little free space. */
export type FullDisk = { folder: string; freeBytes: number };

/** Less is too little for PostgreSQL's next log segment and a batch or two. */
const LEAST_BYTES = 32 * 2 ** 20;
/** SeaweedFS stops writing on a disk with less than this share free. */
const LEAST_SHARE_FOR_S3 = 0.01;

/** The full disks among those of a running stack, each named once by a folder on it. */
export function fullDisks({ home, postgresData, processes }: Stack): FullDisk[] {
  const holdsS3 = processes.some(({ role }) => role === 's3');
  const folders = [home, ...(postgresData === null ? [] : [postgresData])];
  const disks = new Map<number, FullDisk>();
  for (const folder of folders) {
    const disk = readDisk(folder);
    if (disk === undefined || disks.has(disk.device)) continue;
    if (disk.freeBytes < leastOf(disk, holdsS3 && folder === home))
      disks.set(disk.device, { folder, freeBytes: disk.freeBytes });
  }
  return [...disks.values()];
}

/** Whether the local S3 server cannot write in its folder any more. */
export function isFullForS3(folder: string): boolean {
  const disk = readDisk(folder);
  return disk !== undefined && disk.freeBytes < leastOf(disk, true);
}

const leastOf = ({ bytes }: Disk, forS3: boolean) =>
  Math.max(LEAST_BYTES, forS3 ? LEAST_SHARE_FOR_S3 * bytes : 0);

/** A sentence for a person who can free space. */
export function fullDiskText({ folder, freeBytes }: FullDisk): string {
  const megabytes = Math.floor(freeBytes / 2 ** 20);
  return `the disk of ${folder} is full (${megabytes} MiB left): free some space, and waiting runs continue by themselves within a minute or two`;
}

type Disk = { device: number; bytes: number; freeBytes: number };

function readDisk(folder: string): Disk | undefined {
  try {
    const { bavail, blocks, bsize } = statfsSync(folder);
    return { device: statSync(folder).dev, bytes: blocks * bsize, freeBytes: bavail * bsize };
  } catch {
    return undefined;
  }
}

/**
 * Objects as local files, named by their digest and place, and shared by the processes of a machine. Their total size has a limit:
 * what is least recently used is removed first, and nothing that is in use. What alone is larger than the limit is
 * removed after its use.
 */
import { createHash, randomUUID } from 'node:crypto';
import { link, mkdir, readdir, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import type { Reference } from '../../contracts/reference.ts';
import { getToFile, type StreamedObjects } from './stream.ts';

export interface FileCache {
  /**
   * Runs `work` with the path of a file that has the object's bytes; it stays until `work` has ended.
   * Throws Failure 'CorruptObject', and 'OutOfSpace' where the disk is full.
   */
  use<Result>(
    objects: StreamedObjects,
    reference: Reference,
    work: (path: string) => Promise<Result>,
  ): Promise<Result>;
}

export interface FileCacheSettings {
  /** created at the first use */
  folder: string;
  /** bytes of all files together */
  limit: number;
}

export function createFileCache({ folder, limit }: FileCacheSettings): FileCache {
  /** One download at a time: two of the same object would each need the space. */
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <Result>(work: () => Promise<Result>): Promise<Result> => {
    const next = last.then(work, work);
    last = next.catch(() => undefined);
    return next;
  };
  return {
    async use(objects, reference, work) {
      await mkdir(folder, { recursive: true });
      const own = join(folder, `${nameOf(reference)}.${process.pid}.${randomUUID().slice(0, 8)}${IN_USE}`);
      await inTurn(() => bring(objects, reference, { folder, limit, own }));
      try {
        return await work(own);
      } finally {
        await rm(own, { force: true });
        await makeRoom(folder, limit, 0);
      }
    },
  };
}

/** The place counts too: a whole copy of one object does not hide that another is damaged or gone. */
const nameOf = ({ sha256, uri }: Reference) =>
  `${sha256}-${createHash('sha256').update(uri).digest('hex').slice(0, 8)}`;
const KEPT = /^[0-9a-f]{64}-[0-9a-f]{8}$/;

/** A file in use has a second name, which ends in this and names the process: removing the first then frees nothing. */
const IN_USE = '.in-use';
const PARTIAL = '.partial';
/** A download that another process has left behind. */
const ABANDONED_MS = 24 * 3600 * 1000;

interface Place extends FileCacheSettings {
  /** the name under which the caller uses the file */
  own: string;
}

async function bring(
  objects: StreamedObjects,
  reference: Reference,
  { folder, limit, own }: Place,
): Promise<void> {
  const kept = join(folder, nameOf(reference));
  if (!(await linked(kept, own, reference.bytes))) {
    await makeRoom(folder, limit, reference.bytes);
    await getToFile(objects, reference, own);
    await link(own, kept).catch((error: NodeJS.ErrnoException) => {
      // Another process has brought it meanwhile.
      if (error.code !== 'EEXIST') throw error;
    });
  }
  const now = new Date();
  await utimes(own, now, now);
}

/** Gives a kept file the caller's own name; false where it is not kept. */
async function linked(kept: string, own: string, bytes: number): Promise<boolean> {
  try {
    await link(kept, own);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
  if ((await stat(own)).size === bytes) return true;
  // Cut short by a crash of the machine before its bytes were on the disk.
  await rm(own, { force: true });
  await rm(kept, { force: true });
  return false;
}

/** Removes what is least recently used until `bytes` more are within the limit, as far as that is possible. */
async function makeRoom(folder: string, limit: number, bytes: number): Promise<void> {
  const names = await readdir(folder);
  await Promise.all(names.map((name) => removeAbandoned(folder, name)));
  const found = await Promise.all(names.filter((name) => KEPT.test(name)).map(sizeIn(folder)));
  const files = found.flatMap((file) => (file === undefined ? [] : [file]));
  let total = files.reduce((sum, { size }) => sum + size, bytes);
  for (const { path, size, inUse } of files.sort((a, b) => a.used - b.used)) {
    if (total <= limit) return;
    if (inUse) continue;
    await rm(path, { force: true });
    total -= size;
  }
}

const sizeIn = (folder: string) => async (name: string) => {
  const path = join(folder, name);
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return undefined;
  return { path, size: found.size, used: found.mtimeMs, inUse: found.nlink > 1 };
};

/** Removes the name of a process that has ended, and a download that nobody continues. */
async function removeAbandoned(folder: string, name: string): Promise<void> {
  const path = join(folder, name);
  if (name.endsWith(IN_USE)) {
    const [, pid] = name.split('.');
    if (!isRunning(Number(pid))) await rm(path, { force: true });
  }
  if (!name.endsWith(PARTIAL)) return;
  const found = await stat(path).catch(() => undefined);
  if (found !== undefined && Date.now() - found.mtimeMs > ABANDONED_MS) await rm(path, { force: true });
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

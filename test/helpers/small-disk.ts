/** A file system of a few megabytes, to be filled: Linux alone, and who may mount. */
import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { join } from 'node:path';

export interface SmallDisk {
  folder: string;
  /** Takes all the room that is left, and what others give back, until it is emptied. */
  fill(): void;
  /** Gives all of it back. */
  empty(): void;
  unmount(): void;
}

/** Mounts a disk of so many megabytes at the folder; undefined where this user may not. */
export function mountSmallDisk(folder: string, megabytes: number, options = ''): SmallDisk | undefined {
  mkdirSync(folder, { recursive: true });
  const size = `size=${megabytes}m,mode=755${options === '' ? '' : `,${options}`}`;
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', size, 'r1-test', folder], { stdio: 'ignore' });
  } catch {
    return undefined;
  }
  const filler = join(folder, 'filler');
  let filling: NodeJS.Timeout | undefined;
  return {
    folder,
    fill: () => {
      fillUp(folder, filler);
      filling ??= setInterval(() => fillUp(folder, filler), FILL_MS);
    },
    empty: () => {
      clearInterval(filling);
      filling = undefined;
      rmSync(filler, { force: true });
    },
    unmount: () => void execFileSync('umount', ['--lazy', folder], { stdio: 'ignore' }),
  };
}

const FILL_MS = 100;
const BLOCK = Buffer.alloc(4096, 1);

/** Written block by block to the end, so that not even a small file finds room. */
function fillUp(folder: string, filler: string): void {
  const descriptor = openSync(filler, 'a');
  const large = Buffer.alloc(2 ** 20, 1);
  try {
    for (;;) {
      const { bavail, bsize } = statfsSync(folder);
      writeSync(descriptor, bavail * bsize > 2 * large.length ? large : BLOCK);
    }
  } catch {
    // no room is left
  } finally {
    closeSync(descriptor);
  }
}

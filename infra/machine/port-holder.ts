import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** The process that listens at a TCP port; undefined where it is not known. Only Linux shows it. */
export function portHolder(port: number): { pid: number; command: string } | undefined {
  const inodes = new Set(['tcp', 'tcp6'].flatMap((table) => listeningInodes(table, port)));
  if (inodes.size === 0) return undefined;
  const pid = entries('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .find((candidate) => holdsSocket(candidate, inodes));
  return pid === undefined ? undefined : { pid, command: read(`/proc/${pid}/comm`).trim() };
}

/** Rows of /proc/net/tcp: local_address is column 1 (hex), the state column 3 (0A = listening), the inode 9. */
function listeningInodes(table: string, port: number): string[] {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  return read(`/proc/net/${table}`)
    .split('\n')
    .map((row) => row.trim().split(/\s+/))
    .filter((columns) => columns[1]?.endsWith(`:${hex}`) && columns[3] === '0A')
    .flatMap((columns) => columns[9] ?? []);
}

function holdsSocket(pid: number, inodes: Set<string>): boolean {
  const folder = `/proc/${pid}/fd`;
  return entries(folder).some((name) =>
    inodes.has(/^socket:\[(\d+)\]$/.exec(link(`${folder}/${name}`))?.[1] ?? ''),
  );
}

function quietly<Result>(action: () => Result, otherwise: Result): Result {
  try {
    return action();
  } catch {
    return otherwise;
  }
}

const read = (path: string) => quietly(() => readFileSync(path, 'utf8'), '');
const entries = (path: string) => quietly(() => readdirSync(path), []);
const link = (path: string) => quietly(() => readlinkSync(path), '');

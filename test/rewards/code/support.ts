import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseCgroupMounts } from '../../../rewards/code/cgroup-layout.ts';
import { createSandbox, type Sandbox, type SandboxSettings } from '../../../rewards/code/index.ts';

/** A user id of this process alone: leftovers of this test are distinguished from other processes. */
export const OWN_UID = 60_001 + (process.pid % 1000);

export const sandboxOf = (settings: Partial<SandboxSettings> = {}): Sandbox =>
  createSandbox({ parallel: 2, uid: OWN_UID, ...settings });

/** False, or the reason why tests that run programs are skipped. */
export async function whySkip(sandbox: Sandbox): Promise<string | false> {
  const { usable, reason } = await sandbox.report();
  return usable ? false : `no sandbox on this machine: ${reason}`;
}

/** Processes of a user in separate pid namespaces, and bubblewrap processes, including zombies. */
export function sandboxedProcesses(uid = process.getuid?.() === 0 ? OWN_UID : process.getuid?.()): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      const status = readText(`/proc/${pid}/status`);
      const spaces = /^NSpid:\s*(.*)$/m.exec(status)?.[1]?.split(/\s+/) ?? [];
      const ours = new RegExp(`^Uid:\\s+${uid}\\b`, 'm').test(status);
      return ours && (spaces.length > 1 || /^Name:\s+bwrap$/m.test(status));
    });
}

/** Control groups that this process created and did not remove. */
export function leftCgroups(pid = process.pid): string[] {
  const mounts = parseCgroupMounts(readText('/proc/self/mountinfo'));
  return mounts
    .flatMap(({ mountPoint }) => foldersBelow(mountPoint))
    .filter((path) => path.includes(`r1-sandbox-${pid}-`));
}

function foldersBelow(folder: string): string[] {
  try {
    const folders = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    return folders.flatMap(({ name }) => [`${folder}/${name}`, ...foldersBelow(`${folder}/${name}`)]);
  } catch {
    return [];
  }
}

/** Waits until a condition is true; false where it stays false. */
export async function eventually(holds: () => boolean, seconds = 30): Promise<boolean> {
  for (const deadline = Date.now() + 1000 * seconds; Date.now() < deadline; await sleep(20)) {
    if (holds()) return true;
  }
  return holds();
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

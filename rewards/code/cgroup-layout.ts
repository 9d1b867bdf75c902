/**
 * Where control groups lie on this machine. Version 1 has one hierarchy a controller, version 2 one for all;
 * both at once are common, each controller then belonging to one of them.
 */
export interface CgroupMount {
  version: 1 | 2;
  /** controllers bound to it; none for version 2, whose controllers its files name */
  controllers: string[];
  /** folder it is mounted on */
  mountPoint: string;
  /** which group that folder shows: `/` unless a container sees only its own part */
  root: string;
}

/** Reads /proc/self/mountinfo; see proc(5), fields 4 (root), 5 (mount point), and after `-` type and options. */
export function parseCgroupMounts(mountinfo: string): CgroupMount[] {
  return mountinfo.split('\n').flatMap((line): CgroupMount[] => {
    const [before = '', after = ''] = line.split(' - ');
    const [, , , root = '', mountPoint = ''] = before.split(' ');
    const [type, , options = ''] = after.split(' ');
    if (type === 'cgroup2') return [{ version: 2, controllers: [], mountPoint, root }];
    if (type === 'cgroup') return [{ version: 1, controllers: options.split(','), mountPoint, root }];
    return [];
  });
}

/** Reads /proc/self/cgroup: for each line `id:controllers:path`; version 2 has no controllers in it. */
export function parseOwnCgroups(text: string): { controllers: string[]; path: string }[] {
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => {
      const [, controllers = '', ...path] = line.split(':');
      return { controllers: controllers.split(',').filter(Boolean), path: path.join(':') };
    });
}

/** Folder of this process's own group as a mount shows it; the mount point where it lies outside of it. */
export function ownFolder(mount: CgroupMount, path: string): string {
  const root = mount.root === '/' ? '' : mount.root;
  const within = path === root || path.startsWith(`${root}/`) ? path.slice(root.length) : '';
  return `${mount.mountPoint}${within}`.replace(/\/$/, '') || '/';
}

/** The folder and its ancestors up to the mount point, nearest first. */
export function upToMount(folder: string, mountPoint: string): string[] {
  const above = folder.slice(0, folder.lastIndexOf('/'));
  return folder === mountPoint || !above.startsWith(mountPoint)
    ? [folder]
    : [folder, ...upToMount(above, mountPoint)];
}

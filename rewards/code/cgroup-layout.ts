/**
 * A mounted hierarchy of control groups. Version 1 has one hierarchy per controller, version 2 one for all. Many
 * machines have both; each controller then belongs to one of them.
 */
export interface CgroupMount {
  version: 1 | 2;
  /** its controllers; empty for version 2, which lists them in its files */
  controllers: string[];
  /** folder where it is mounted */
  mountPoint: string;
  /** the group at the mount point: `/`, unless a container sees only its own part */
  root: string;
}

/** Parses /proc/self/mountinfo; see proc(5), fields 4 (root), 5 (mount point), and after `-` type and options. */
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

/** Parses /proc/self/cgroup: lines `id:controllers:path`; version 2 has no controllers in its line. */
export function parseOwnCgroups(text: string): { controllers: string[]; path: string }[] {
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => {
      const [, controllers = '', ...path] = line.split(':');
      return { controllers: controllers.split(',').filter(Boolean), path: path.join(':') };
    });
}

/** Folder of this process's own group in a mount; the mount point where the group is outside of the mount. */
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

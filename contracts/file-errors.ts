/** What stands at a path that cannot be read or written, in words: `expected a file, found …`. */
export function foundOf(error: NodeJS.ErrnoException): string {
  return FOUND[error.code ?? ''] ?? (error.message || String(error.code));
}

const FOUND: Record<string, string> = {
  ENOENT: 'none',
  ENOTDIR: 'a path through a file that is no folder',
  EISDIR: 'a folder',
  ELOOP: 'symbolic links that lead to one another (ELOOP)',
  EACCES: 'one that this user must not use (EACCES)',
  EPERM: 'one that this user must not use (EPERM)',
  ENAMETOOLONG: 'a name that is too long (ENAMETOOLONG)',
  EROFS: 'a file system that cannot be written to (EROFS)',
  ENOSPC: 'a full disk (ENOSPC)',
  ENXIO: 'a socket, or a device that is not there (ENXIO)',
  ERR_INVALID_ARG_VALUE: 'a name with a zero byte',
};

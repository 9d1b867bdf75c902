/** What is at a path that cannot be read or written, for messages: `expected a file, found …`. */
export function foundOf(error: NodeJS.ErrnoException): string {
  return FOUND[error.code ?? ''] ?? (error.message || String(error.code));
}

const FOUND: Record<string, string> = {
  ENOENT: 'none',
  ENOTDIR: 'a path through a file that is not a folder',
  EISDIR: 'a folder',
  ELOOP: 'symbolic links that form a loop (ELOOP)',
  EACCES: 'one that this user may not access (EACCES)',
  EPERM: 'one that this user may not access (EPERM)',
  ENAMETOOLONG: 'a name that is too long (ENAMETOOLONG)',
  EROFS: 'a read-only file system (EROFS)',
  ENOSPC: 'a full disk (ENOSPC)',
  ENXIO: 'a socket, or a missing device (ENXIO)',
  ERR_INVALID_ARG_VALUE: 'a name with a zero byte',
};

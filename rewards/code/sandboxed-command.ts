import type { RunLimits } from './limits.ts';

/** Folder in which a command finds its files; read-only. It runs in /tmp, which it may write. */
export const BOX = '/box';

/** A file under `BOX`. */
export interface SandboxedFile {
  name: string;
  content: string | Buffer;
  executable?: boolean;
}

/** One command to run where it can do no harm. */
export interface SandboxedCommand {
  /** absolute path of a program, and its arguments */
  argv: readonly string[];
  files: readonly SandboxedFile[];
  stdin: string | Buffer;
  limits: RunLimits;
  /**
   * What bounds its memory where no control group can: all of its address space, or only writable memory,
   * for runtimes that reserve far more addresses than they use.
   */
  memoryRlimit: 'as' | 'data';
  /** bytes of stack of its main thread */
  stackBytes: number;
}

import type { RunLimits } from './limits.ts';

/** Read-only folder with a command's files. The command runs in /tmp, which is writable. */
export const BOX = '/box';

/** A file under `BOX`. */
export interface SandboxedFile {
  name: string;
  content: string | Buffer;
  executable?: boolean;
}

/** One command to run in the sandbox. */
export interface SandboxedCommand {
  /** absolute path of a program, and its arguments */
  argv: readonly string[];
  files: readonly SandboxedFile[];
  stdin: string | Buffer;
  limits: RunLimits;
  /**
   * The resource limit that bounds memory without a control group: on the whole address space, or only on writable
   * memory, for runtimes that reserve far more addresses than they use.
   */
  memoryRlimit: 'as' | 'data';
  /** bytes of stack of its main thread */
  stackBytes: number;
}

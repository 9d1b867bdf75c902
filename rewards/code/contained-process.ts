import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { FD } from './bubblewrap.ts';
import type { Cgroup } from './cgroups.ts';
import { withoutInherited } from './inherited-descriptors.ts';
import type { RunLimits } from './limits.ts';
import { cpuSecondsOf, ownSeconds, processesOf, type Threads, threadsOf, timesOf } from './process-usage.ts';
import type { RunOutcome } from './run-outcome.ts';
import { SandboxError } from './sandbox-error.ts';

/** How to start bubblewrap: its arguments, its inputs, and the limits on the program. */
export interface Containment {
  bubblewrap: string;
  args: readonly string[];
  /** user to run as; undefined: the user of this process */
  uid: number | undefined;
  /** the filter of system calls, to be sent to `FD.filter` */
  filter: Buffer;
  /** contents of `FD.firstFile` and the descriptors after it */
  files: readonly (string | Buffer)[];
  stdin: string | Buffer;
  limits: RunLimits;
  /** null: only resource limits apply */
  cgroup: Cgroup | null;
  /** kills the program; the run then rejects with the signal's reason */
  signal: AbortSignal | undefined;
}

const POLL_MILLISECONDS = 100;
/** A program that waits for a processor may take this many times its wall limit. */
const PATIENCE = 3;
const SETUP_SECONDS = 60;
const STDERR_KEPT = 64 * 1024;

/**
 * Runs a program until it ends. No process of it is left when the promise settles. Rejects with a `SandboxError` of
 * kind `sandbox-failed` where the program could not be started.
 */
export async function runContained(containment: Containment): Promise<RunOutcome> {
  const { cgroup } = containment;
  try {
    return await new Watch(containment).outcome;
  } finally {
    await cgroup?.remove().catch((error: Error) => {
      throw new SandboxError('sandbox-failed', `the control group could not be removed: ${error.message}`);
    });
  }
}

interface Status {
  'child-pid'?: number;
  'exit-code'?: number;
}

/** One run, from the start of bubblewrap until all its processes have ended. */
class Watch {
  readonly outcome: Promise<RunOutcome>;
  readonly #containment: Containment;
  readonly #child: ChildProcess;
  readonly #stdout: Collected;
  readonly #stderr: Collected;
  readonly #result: Collected;
  /** pid of the sandbox's first process on this machine */
  #init: number | undefined;
  #exitCode: number | undefined;
  #stoppedBy: RunOutcome['stoppedBy'] = null;
  #failure: string | undefined;
  #startedAt = performance.now();
  #polledAt = performance.now();
  #threads: Threads = new Map();
  #usage = { cpuSeconds: 0, ownSeconds: 0 };
  #timer: NodeJS.Timeout;

  constructor(containment: Containment) {
    this.#containment = containment;
    const { outputBytes } = containment.limits;
    this.#child = start(containment);
    const stop = () => this.#stop('output');
    this.#stdout = collect(this.#stream(1), { limit: outputBytes, keep: outputBytes, stop });
    this.#stderr = collect(this.#stream(2), { limit: outputBytes, keep: STDERR_KEPT, stop });
    this.#result = collect(this.#stream(FD.result), { limit: outputBytes, keep: outputBytes, stop });
    this.#timer = setTimeout(
      () => this.#fail(`no program started within ${SETUP_SECONDS} s`),
      1000 * SETUP_SECONDS,
    );
    this.#readStatus();
    this.#feed(FD.filter, containment.filter);
    containment.signal?.addEventListener('abort', this.#onAbort, { once: true });
    containment.files.forEach((content, index) => {
      this.#feed(FD.firstFile + index, content);
    });
    this.outcome = this.#ended();
  }

  #stream(fd: number): Readable {
    return this.#child.stdio[fd] as Readable;
  }

  /** Errors are ignored: a program need not read its input. */
  #feed(fd: number, content: string | Buffer): void {
    const stream = this.#child.stdio[fd] as Writable | undefined;
    stream?.on('error', () => {});
    stream?.end(content);
  }

  #readStatus(): void {
    let text = '';
    this.#stream(FD.status).on('data', (chunk: Buffer) => {
      const lines = (text + chunk.toString()).split('\n');
      text = lines.pop() ?? '';
      for (const line of lines) this.#onStatus(JSON.parse(line) as Status);
    });
  }

  /** The first process exists and is blocked, so it can join the control group before it runs anything. */
  #onStatus(status: Status): void {
    this.#exitCode ??= status['exit-code'];
    if (status['child-pid'] === undefined) return;
    this.#init = status['child-pid'];
    try {
      this.#containment.cgroup?.add(this.#init);
    } catch (error) {
      this.#fail(
        `the process could not join its control group: ${error instanceof Error ? error.message : error}`,
      );
      return;
    }
    this.#startedAt = performance.now();
    this.#polledAt = this.#startedAt;
    this.#schedule();
    this.#feed(FD.block, 'x');
    this.#feed(0, this.#containment.stdin);
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#poll(), POLL_MILLISECONDS);
  }

  #poll(): void {
    const now = performance.now();
    this.#sample((now - this.#polledAt) / 1000);
    this.#polledAt = now;
    const { cpuSeconds, wallSeconds } = this.#containment.limits;
    if (this.#usage.cpuSeconds >= cpuSeconds) this.#stop('cpu');
    else if (this.#usage.ownSeconds >= wallSeconds) this.#stop('wall');
    else if (now - this.#startedAt >= 1000 * PATIENCE * wallSeconds) this.#stop('starved');
    else this.#schedule();
  }

  #sample(seconds: number): void {
    if (this.#init === undefined) return;
    const { cgroup } = this.#containment;
    const processes = cgroup === null ? processesOf(this.#init) : [];
    const before = this.#threads;
    this.#threads = timesOf(cgroup?.threads() ?? processes.flatMap(threadsOf), before, seconds);
    const soFar = this.#usage.cpuSeconds;
    const total = cgroup?.cpuSeconds() ?? Math.max(soFar, cpuSecondsOf(processes));
    const own = ownSeconds({
      seconds,
      unattended: seconds - POLL_MILLISECONDS / 1000,
      cpuSeconds: total - soFar,
      before,
      after: this.#threads,
    });
    this.#usage = { cpuSeconds: total, ownSeconds: this.#usage.ownSeconds + own };
  }

  #stop(reason: NonNullable<RunOutcome['stoppedBy']>): void {
    this.#stoppedBy ??= reason;
    this.#kill();
  }

  readonly #onAbort = () => this.#kill();

  #fail(message: string): void {
    this.#failure ??= message;
    this.#kill();
  }

  /** Killing the first process ends every process of its pid namespace; bubblewrap then ends by itself. */
  #kill(): void {
    clearTimeout(this.#timer);
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    if (this.#init === undefined || !killed(this.#init)) this.#child.kill('SIGKILL');
  }

  #ended(): Promise<RunOutcome> {
    return new Promise((resolve, reject) => {
      this.#child.once('error', (error) => {
        this.#unwatch();
        reject(new SandboxError('sandbox-failed', `bubblewrap could not be started: ${error.message}`));
      });
      this.#child.once('close', () => {
        this.#unwatch();
        try {
          resolve(this.#outcome());
        } catch (error) {
          reject(error);
        }
      });
    });
  }

  #unwatch(): void {
    clearTimeout(this.#timer);
    this.#containment.signal?.removeEventListener('abort', this.#onAbort);
  }

  #outcome(): RunOutcome {
    this.#containment.signal?.throwIfAborted();
    const stderr = this.#stderr.bytes().toString();
    const { cgroup } = this.#containment;
    const failure = this.#failure ?? (this.#started() ? undefined : stderr.trim() || 'without a message');
    if (failure !== undefined)
      throw new SandboxError('sandbox-failed', `bubblewrap could not run the program: ${failure}`);
    return {
      status: this.#exitCode ?? 128 + 9,
      stoppedBy: this.#stoppedBy,
      killedForMemory: cgroup?.killedForMemory() ?? false,
      cpuSeconds: cgroup?.cpuSeconds() ?? this.#usage.cpuSeconds,
      ownSeconds: this.#usage.ownSeconds,
      wallSeconds: (performance.now() - this.#startedAt) / 1000,
      stdout: this.#stdout.bytes(),
      stderr,
      result: this.#result.bytes(),
    };
  }

  #started(): boolean {
    return this.#init !== undefined && (this.#exitCode !== undefined || this.#stoppedBy !== null);
  }
}

function start({ bubblewrap, args, uid, files }: Containment): ChildProcess {
  const own = Array.from({ length: FD.firstFile + files.length }, () => 'pipe' as const);
  const stdio = withoutInherited(own);
  // Node drops the supplementary groups together with the user.
  const user = uid === undefined ? {} : { uid, gid: uid };
  return spawn(bubblewrap, args, { stdio, env: {}, cwd: '/', ...user });
}

function killed(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL');
  } catch {
    return false;
  }
}

interface Collected {
  bytes(): Buffer;
}

/** Reads a stream to its end, keeps the last `keep` bytes, and calls `stop` where it exceeds `limit` bytes. */
function collect(stream: Readable, to: { limit: number; keep: number; stop(): void }): Collected {
  const chunks: Buffer[] = [];
  let [total, kept] = [0, 0];
  stream.on('data', (chunk: Buffer) => {
    total += chunk.length;
    if (total > to.limit) return to.stop();
    chunks.push(chunk);
    kept += chunk.length;
    while (kept - (chunks[0]?.length ?? 0) >= to.keep) kept -= chunks.shift()?.length ?? 0;
  });
  stream.on('error', () => {});
  return { bytes: () => Buffer.concat(chunks).subarray(-to.keep) };
}

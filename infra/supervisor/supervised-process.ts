import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf, StackError } from '../errors.ts';
import { readIfThere } from '../machine/atomic-file.ts';
import { backoffSeconds, failuresAfter } from './backoff.ts';
import { type ManagedProcess, STOP_RULES } from './managed-process.ts';
import { identityOf, killGroup, signal, waitForEnd } from './process-identity.ts';
import type { ProcessRecord, Role } from './state.ts';

/** The start of the stack fails once a process was started this many times without becoming ready. */
const STARTING_TRIES = 3;
const READY_SECONDS = 60;
const PROBE_PAUSE_MS = 150;

type Events = {
  /** The record changed. */
  onChange: () => void;
  /** A line of progress. */
  onProgress: (line: string) => void;
};

/** Settles the promise of `start`. */
type Readiness = { resolve: () => void; reject: (error: StackError) => void };

/** Keeps one process alive: starts it, waits until it is ready, and restarts it with back-off when it dies. */
export class SupervisedProcess {
  readonly name: string;
  readonly role: Role;
  private readonly spec: ManagedProcess;
  readonly record: ProcessRecord;
  private readonly events: Events;
  private readonly stopping = new AbortController();
  private failures = 0;
  private wasReady = false;

  constructor(spec: ManagedProcess, logFolder: string, events: Events) {
    this.name = spec.name;
    this.role = spec.role;
    this.spec = spec;
    this.events = events;
    this.record = {
      name: spec.name,
      role: spec.role,
      identity: null,
      state: 'starting',
      restarts: 0,
      lastExit: null,
      log: join(logFolder, `${spec.name}.log`),
    };
  }

  /** Starts it and returns when it is ready. It is kept alive until `stop`. */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      void this.keepAlive({ resolve, reject });
    });
  }

  /** Signals it to end, waits its grace time, then kills it and its children. */
  async stop(): Promise<void> {
    this.stopping.abort();
    const { identity } = this.record;
    const { signal: name, graceSeconds } = STOP_RULES[this.spec.role];
    if (identity !== null) {
      signal(identity, name);
      if (!(await waitForEnd(identity, graceSeconds))) {
        this.events.onProgress(`${this.name} did not end within ${graceSeconds} s: killed`);
        signal(identity, 'SIGKILL');
        await waitForEnd(identity, 10);
      }
      killGroup(identity.pid);
    }
    this.update({ state: 'stopped', identity: null });
  }

  private async keepAlive(ready: Readiness): Promise<void> {
    while (!this.stopping.signal.aborted) {
      const began = performance.now();
      const end = await this.runOnce(ready);
      if (this.stopping.signal.aborted) break;
      this.failures = failuresAfter(this.failures, (performance.now() - began) / 1000);
      if (!this.wasReady && this.failures >= STARTING_TRIES) return this.giveUp(ready, end);
      await this.backOff(end);
    }
    ready.reject(new StackError(`${this.name} was stopped before it was ready`));
  }

  /** Runs the process once; returns how it ended, in words. */
  private async runOnce(ready: Readiness): Promise<string> {
    const child = this.tryToSpawn();
    if (typeof child === 'string') return child;
    const ended = new Promise<string>((resolve) => {
      child.once('error', (error) =>
        resolve(this.ended(`could not be started: ${error.message}`, null, null)),
      );
      child.once('exit', (code, name) =>
        resolve(this.ended(`ended with ${name ?? `code ${code}`}`, code, name)),
      );
    });
    this.update({
      identity: child.pid === undefined ? null : (identityOf(child.pid) ?? null),
      state: 'starting',
    });
    const lifetime = new AbortController();
    void ended.then(() => lifetime.abort());
    if (await this.becomesReady(lifetime.signal)) {
      this.wasReady = true;
      this.update({ state: 'running' });
      ready.resolve();
    } else if (!lifetime.signal.aborted && !this.stopping.signal.aborted && child.pid !== undefined) {
      this.events.onProgress(`${this.name} was not ready within ${READY_SECONDS} s: killed`);
      killGroup(child.pid);
    }
    return ended;
  }

  /** The child, or the reason why there is none. */
  private tryToSpawn(): ChildProcess | string {
    try {
      this.spec.beforeStart?.();
      return this.spawn();
    } catch (error) {
      return this.ended(`could not be started: ${messageOf(error)}`, null, null);
    }
  }

  /** Its output goes directly to its log, and it leads its own process group: it lives on if the supervisor dies. */
  private spawn(): ChildProcess {
    const log = openSync(this.record.log, 'a');
    const { command, args, cwd, environment, user } = this.spec;
    try {
      return spawn(command, args, {
        cwd,
        env: environment,
        ...user,
        detached: true,
        stdio: ['ignore', log, log],
      });
    } finally {
      closeSync(log);
    }
  }

  private async becomesReady(lifetime: AbortSignal): Promise<boolean> {
    const deadline = performance.now() + READY_SECONDS * 1000;
    while (!lifetime.aborted && !this.stopping.signal.aborted && performance.now() < deadline) {
      if (await this.spec.isReady().catch(() => false)) return !lifetime.aborted;
      await sleep(PROBE_PAUSE_MS);
    }
    return false;
  }

  private ended(how: string, code: number | null, name: string | null): string {
    if (this.record.identity !== null) killGroup(this.record.identity.pid);
    this.update({ identity: null, lastExit: { code, signal: name, at: new Date().toISOString() } });
    return how;
  }

  private async backOff(end: string): Promise<void> {
    const seconds = backoffSeconds(this.failures);
    this.update({ state: 'backing-off', restarts: this.record.restarts + 1 });
    this.events.onProgress(`${this.name} ${end}; starting it again in ${seconds} s (see ${this.record.log})`);
    await sleep(seconds * 1000, undefined, { signal: this.stopping.signal }).catch(() => undefined);
  }

  private giveUp(ready: Readiness, end: string): void {
    this.update({ state: 'stopped' });
    ready.reject(
      new StackError(
        `${this.name}: expected it to be ready, found that it ${end}, ${this.failures} times. ` +
          `Its log, ${this.record.log}, ends with:\n${tail(this.record.log)}`,
      ),
    );
  }

  private update(change: Partial<ProcessRecord>): void {
    Object.assign(this.record, change);
    this.events.onChange();
  }
}

/** The last lines of a log, indented. */
export function tail(path: string, lines = 8): string {
  const content = (readIfThere(path) ?? '').trimEnd().split('\n').slice(-lines);
  return content.map((line) => `  ${line}`).join('\n');
}

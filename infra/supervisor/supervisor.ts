import { z } from 'zod';
import { connectionEnvironment, connectionsOf } from '../connections.ts';
import { messageOf, StackError } from '../errors.ts';
import { makeFolder } from '../machine/file-errors.ts';
import { withFreePorts } from '../machine/port-claims.ts';
import { type Ports, readLastPorts, recordPorts } from '../machine/ports.ts';
import type { HomePaths } from '../paths.ts';
import {
  addressesOf,
  type Binaries,
  externalLines,
  findBinaries,
  namedPorts,
  type PreparedServer,
  prepareServers,
} from '../servers/local-servers.ts';
import { readOrMakeSecrets, type Secrets } from '../servers/secrets.ts';
import type { Settings } from '../settings.ts';
import { serveControl } from './control.ts';
import { rotateLogs } from './log-rotation.ts';
import { inStopOrder, type ManagedProcess } from './managed-process.ts';
import { orphansOf, stopOrphans } from './orphans.ts';
import { identityOf } from './process-identity.ts';
import { readStateIfWhole, type StackState, StateFile } from './state.ts';
import { SupervisedProcess } from './supervised-process.ts';
import { type WorkerSpec, workerProcess, workerSpec } from './workers.ts';

const ROTATION_MS = 30_000;
const KEPT_LINES = 500;

type Options = {
  settings: Settings;
  paths: HomePaths;
  /** The environment that every child inherits. */
  environment: Record<string, string>;
  /** Writes a line of the supervisor's own log. */
  log: (line: string) => void;
};

/**
 * Runs the local servers and the workers: starts them, keeps them alive, stops them in order. It does not touch external
 * servers, whose addresses the environment names.
 */
export class Supervisor {
  private readonly options: Options;
  private readonly secrets: Secrets;
  private readonly processes: SupervisedProcess[] = [];
  private readonly state: StackState;
  private readonly file: StateFile;
  private readonly stopped: Promise<void>;
  private markStopped: () => void = () => undefined;
  private readonly stopping = new AbortController();

  constructor(options: Options) {
    this.options = options;
    makeFolder(options.paths.logs);
    this.secrets = readOrMakeSecrets(options.paths.secrets);
    this.state = initialState();
    this.file = new StateFile(options.paths.state, this.progress);
    this.stopped = new Promise((resolve) => {
      this.markStopped = resolve;
    });
  }

  /** Runs until `stop` is called or the start fails. The error is also in the state file. */
  async run(): Promise<StackState['phase']> {
    const { paths } = this.options;
    const orphans = orphansOf(paths.home, readStateIfWhole(paths.state));
    this.save();
    const control = await serveControl(paths.socket, {
      'ensure-workers': async (specs) => this.ensureWorkers(z.array(workerSpec).parse(specs)),
      'write-state': async () => this.save(),
    });
    const rotation = setInterval(() => rotateLogs(paths.logs), ROTATION_MS);
    try {
      await stopOrphans(orphans, this.progress);
      await this.startServers();
      if (!this.stopping.signal.aborted) this.setPhase('running');
    } catch (error) {
      if (!this.stopping.signal.aborted) void this.fail(error);
    }
    await this.stopped;
    clearInterval(rotation);
    this.file.close();
    control.close();
    control.closeAllConnections();
    return this.state.phase;
  }

  /** Stops everything, workers first, and lets `run` return. */
  async stop(phase: 'stopped' | 'failed' = 'stopped'): Promise<void> {
    if (this.stopping.signal.aborted) return this.stopped;
    this.stopping.abort();
    if (phase === 'stopped') this.setPhase('stopping');
    for (const group of inStopOrder(this.processes)) {
      await Promise.all(group.map((process) => this.stopOne(process)));
    }
    this.setPhase(phase);
    this.markStopped();
  }

  private async stopOne(process: SupervisedProcess): Promise<void> {
    await process.stop();
    this.progress(`${process.name} stopped`);
  }

  /** Fetching binaries may take minutes. Ports are chosen after it, while no other stack chooses any. */
  private async startServers(): Promise<void> {
    const { signal } = this.stopping;
    const binaries = await findBinaries(this.options.settings, this.progress, signal);
    const { settings, paths } = this.options;
    const wanted = { named: namedPorts(settings), last: readLastPorts(paths.ports) };
    await withFreePorts(wanted, signal, (ports) => this.startOn(ports, binaries));
  }

  private async startOn(ports: Ports, binaries: Binaries): Promise<void> {
    const { settings, paths, environment } = this.options;
    recordPorts(paths.ports, ports);
    this.state.addresses = addressesOf(settings, ports);
    externalLines(this.state.addresses).forEach(this.progress);
    const { secrets, progress: onProgress } = this;
    const prepared = { settings, paths, secrets, binaries, ports, environment, onProgress };
    const servers = await prepareServers(prepared);
    this.state.postgresData = servers.find(({ data }) => data !== undefined)?.data ?? null;
    await Promise.all(servers.map((server) => this.startServer(server)));
  }

  private async startServer({ process, ready }: PreparedServer): Promise<void> {
    await this.supervise(process);
    this.progress(ready);
  }

  /** Starts the workers that do not run yet. */
  private async ensureWorkers(specs: WorkerSpec[]): Promise<void> {
    if (this.state.phase !== 'running') throw new StackError(`the stack is ${this.state.phase}, not running`);
    const { settings, environment } = this.options;
    const { addresses } = this.state;
    if (addresses === null) throw new StackError('the stack has no addresses yet');
    const connections = connectionEnvironment(connectionsOf(addresses, settings, this.secrets));
    const missing = specs.filter(({ name }) => !this.processes.some((process) => process.name === name));
    await Promise.all(
      missing.map((spec) => this.supervise(workerProcess(spec, { ...environment, ...connections }))),
    );
  }

  private supervise(spec: ManagedProcess): Promise<void> {
    if (this.stopping.signal.aborted) throw new StackError('the stack is stopping');
    const events = { onChange: () => this.save(), onProgress: this.progress };
    const process = new SupervisedProcess(spec, this.options.paths.logs, events);
    this.processes.push(process);
    return process.start();
  }

  private async fail(error: unknown): Promise<void> {
    this.state.error = messageOf(error);
    this.options.log(
      error instanceof StackError ? error.message : String(error instanceof Error ? error.stack : error),
    );
    await this.stop('failed');
  }

  private setPhase(phase: StackState['phase']): void {
    this.state.phase = phase;
    this.options.log(`the stack is ${phase}`);
    this.save();
  }

  private readonly progress = (line: string): void => {
    this.options.log(line);
    this.state.progress = [...this.state.progress, line].slice(-KEPT_LINES);
    this.save();
  };

  private save(): void {
    this.state.processes = this.processes.map(({ record }) => record);
    this.file.write(this.state);
  }
}

function initialState(): StackState {
  const supervisor = identityOf(process.pid);
  if (supervisor === undefined) throw new StackError(`process ${process.pid} cannot read its own identity`);
  return {
    version: 1,
    supervisor,
    phase: 'starting',
    error: null,
    progress: [],
    addresses: null,
    postgresData: null,
    processes: [],
  };
}

/** Sessions over graphs that are built at their first use. */
import type { Graph } from '../graph/graph.ts';
import { serialize } from '../graph/onnx.ts';
import type { Tensor } from '../graph/tensor.ts';
import type { Runtime, Session } from './runtime.ts';

export type Tensors = Readonly<Record<string, Tensor>>;

export class GraphSessions {
  private readonly runtime: Runtime;
  private readonly sessions = new Map<string, Session>();

  constructor(runtime: Runtime) {
    this.runtime = runtime;
  }

  get(key: string, build: () => Graph): Session {
    const known = this.sessions.get(key);
    if (known) return known;
    const session = this.runtime.createSession(serialize(build()));
    this.sessions.set(key, session);
    return session;
  }

  dispose(): void {
    for (const session of this.sessions.values()) session.dispose();
  }
}

export interface GraphRun {
  /** Tensors that are not inputs of the graph are ignored. */
  inputs: Tensors;
  /** Outputs written into given tensors. */
  inPlace: Tensors;
  /** Outputs that `read` is called with, where the graph has them. */
  wanted: readonly string[];
  read: (name: string, values: Float32Array) => void;
  /** Returns the session's memory to the system after the run. */
  freeAfter: boolean;
}

/** Runs a graph once and disposes of the outputs that it allocated. */
export function runGraph(session: Session, { inputs, inPlace, wanted, read, freeAfter }: GraphRun): void {
  const given = Object.entries(inputs).filter(([name]) => session.inputNames.includes(name));
  const made = wanted.filter((name) => session.outputNames.includes(name));
  const unmade = Object.fromEntries(made.map((name) => [name, null]));
  const outputs = session.run(Object.fromEntries(given), { ...inPlace, ...unmade }, { freeAfter });
  for (const name of made) {
    const output = outputs[name];
    if (output?.data instanceof Float32Array) read(name, output.data);
    output?.dispose();
  }
}

/** Tensors under other names. */
export function renamed(
  tensors: ReadonlyMap<string, Tensor>,
  rename: (name: string) => string,
): Record<string, Tensor> {
  return Object.fromEntries([...tensors].map(([name, tensor]) => [rename(name), tensor]));
}

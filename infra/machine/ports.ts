import { createServer } from 'node:net';
import { z } from 'zod';
import { StackError } from '../errors.ts';
import { readJsonIfWhole, writeAtomically } from './atomic-file.ts';
import { portHolder } from './port-holder.ts';

/** The address at which the local servers listen: other machines cannot reach it. */
export const LOOPBACK = '127.0.0.1';

/** The ports of the local servers, with the number that is tried first. */
export const DEFAULT_PORTS = {
  temporal: 7233,
  temporalUi: 8233,
  temporalHttp: 7243,
  temporalMetrics: 7253,
  postgres: 54329,
  s3: 8333,
  s3Grpc: 18333,
  master: 9333,
  masterGrpc: 19333,
  volume: 9340,
  volumeGrpc: 19340,
  filer: 8888,
  filerGrpc: 18888,
  admin: 23646,
  adminGrpc: 33646,
} as const;

export type PortName = keyof typeof DEFAULT_PORTS;
export type Ports = Record<PortName, number>;

/** Ports that a user named, each with the variable that names it. */
export type NamedPorts = Partial<Record<PortName, { port: number; variable: string }>>;

const PORT_NAMES = Object.keys(DEFAULT_PORTS) as PortName[];
const portsSchema = z.partialRecord(z.enum(PORT_NAMES as [PortName, ...PortName[]]), z.int());

type IsFree = (port: number) => Promise<boolean>;

/**
 * A port for each name: the one that the user named, which must be free; else the first free one, counted from the last
 * start's port or from the default.
 * @throws StackError where a port that the user named is in use.
 */
export async function choosePorts(named: NamedPorts, last: Partial<Ports>, isFree: IsFree): Promise<Ports> {
  const chosen: Ports = { ...DEFAULT_PORTS };
  const taken = new Set(Object.values(named).map((entry) => entry.port));
  for (const name of PORT_NAMES) {
    const given = named[name];
    if (given !== undefined && !(await isFree(given.port))) throw portInUse(given);
    const port = given?.port ?? (await nextFree(last[name] ?? DEFAULT_PORTS[name], taken, isFree));
    taken.add(port);
    chosen[name] = port;
  }
  return chosen;
}

async function nextFree(first: number, taken: Set<number>, isFree: IsFree): Promise<number> {
  for (let port = first; port < Math.min(first + 500, 65_536); port++) {
    if (!taken.has(port) && (await isFree(port))) return port;
  }
  throw new StackError(`expected a free port from ${first} on, found 500 in use. Free one, or name another.`);
}

function portInUse({ port, variable }: { port: number; variable: string }): StackError {
  const holder = portHolder(port);
  const by = holder === undefined ? 'another process' : `process ${holder.pid} (${holder.command})`;
  return new StackError(
    `${variable}=${port}: expected a free port, found it held by ${by}. ` +
      `Stop that process, set ${variable} to another port, or unset it to have a free one chosen.`,
  );
}

/**
 * Whether a local server could listen there now. SeaweedFS refuses a port that is in use at any address of the machine,
 * not only at the loopback address.
 */
export async function isPortFree(port: number): Promise<boolean> {
  return (await canListen(LOOPBACK, port)) && (await canListen('0.0.0.0', port));
}

function canListen(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** The ports of the last start; empty where they are not known. */
export function readLastPorts(path: string): Partial<Ports> {
  return readJsonIfWhole(path, portsSchema) ?? {};
}

export function recordPorts(path: string, ports: Ports): void {
  writeAtomically(path, `${JSON.stringify(ports, null, 2)}\n`);
}

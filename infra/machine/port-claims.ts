import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { identityOf, isAlive, processIdentity } from '../supervisor/process-identity.ts';
import { readJsonIfWhole, writeAtomically } from './atomic-file.ts';
import { withLock } from './lock-file.ts';
import { choosePorts, isPortFree, type NamedPorts, type Ports } from './ports.ts';

/** The ports of one stack: its own for as long as its supervisor lives, also while a server is being restarted. */
const claimsSchema = z.array(z.object({ supervisor: processIdentity, ports: z.array(z.int()) }));
type Claims = z.infer<typeof claimsSchema>;

export interface PortWishes {
  named: NamedPorts;
  /** those of the last time, preferred */
  last: Partial<Ports>;
}

/**
 * Chooses ports, claims them for this process, and runs `listen`, which ends once servers listen there. Stacks of one
 * user do so one after the other: what one has chosen is free to nobody else, though nothing listens there yet.
 * @throws StackError naming a port that a user named and something else holds.
 */
export function withFreePorts<Result>(
  { named, last }: PortWishes,
  signal: AbortSignal,
  listen: (ports: Ports) => Promise<Result>,
  folder = tmpdir(),
): Promise<Result> {
  const file = (ending: string) => join(folder, `r1-ports-${userInfo().uid}.${ending}`);
  return withLock(file('lock'), signal, async () => {
    const others = claimsOfOthers(file('json'));
    const claimed = new Set(others.flatMap(({ ports }) => ports));
    const isFree = async (port: number) => !claimed.has(port) && (await isPortFree(port));
    const ports = await choosePorts(named, last, isFree);
    writeAtomically(file('json'), JSON.stringify([...others, ownClaim(ports)]));
    return await listen(ports);
  });
}

function claimsOfOthers(path: string): Claims {
  const claims = readJsonIfWhole(path, claimsSchema) ?? [];
  return claims.filter(({ supervisor }) => supervisor.pid !== process.pid && isAlive(supervisor));
}

function ownClaim(ports: Ports): Claims[number] {
  const supervisor = identityOf(process.pid);
  if (supervisor === undefined) throw new Error(`process ${process.pid} cannot see itself`);
  return { supervisor, ports: Object.values(ports) };
}

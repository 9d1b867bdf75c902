import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { identityOf, isAlive, processIdentity } from '../supervisor/process-identity.ts';
import { readJsonIfWhole, writeAtomically } from './atomic-file.ts';
import { withLock } from './lock-file.ts';
import { choosePorts, isPortFree, type NamedPorts, type Ports } from './ports.ts';

/** The ports of one stack, claimed for as long as its supervisor lives, also while a server restarts. */
const claimsSchema = z.array(z.object({ supervisor: processIdentity, ports: z.array(z.int()) }));
type Claims = z.infer<typeof claimsSchema>;

export interface WantedPorts {
  named: NamedPorts;
  /** those of the last start, preferred */
  last: Partial<Ports>;
}

/**
 * Chooses ports, claims them for this process, and runs `listen`, which ends once servers listen there. The stacks of one
 * user do so one after the other: no other stack chooses a claimed port, even before anything listens there.
 * @throws StackError where a port that the user named is in use.
 */
export function withFreePorts<Result>(
  { named, last }: WantedPorts,
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
  if (supervisor === undefined) throw new Error(`process ${process.pid} cannot read its own identity`);
  return { supervisor, ports: Object.values(ports) };
}

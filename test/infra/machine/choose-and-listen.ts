/** A stack's start without its servers: claims ports in the folder given, listens there or not, and stays. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { withFreePorts } from '../../../infra/machine/port-claims.ts';

const [folder = '', listening] = process.argv.slice(2);
const ports = await withFreePorts(
  { named: {}, last: {} },
  new AbortController().signal,
  async (chosen) => {
    if (listening === 'listening') await Promise.all(Object.values(chosen).map(listen));
    return chosen;
  },
  folder,
);
console.log(JSON.stringify(Object.values(ports)));
setInterval(() => undefined, 60_000);

async function listen(port: number): Promise<void> {
  const server = createServer().listen({ port, host: '127.0.0.1', exclusive: true });
  await once(server, 'listening');
}

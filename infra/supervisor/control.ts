import { chmodSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import { json } from 'node:stream/consumers';
import { messageOf } from '../errors.ts';

/** Commands of the supervisor. */
export type Command = 'ensure-workers' | 'write-state';

/** The handler of each command; argument and result are JSON. */
export type Handlers = Record<Command, (argument: unknown) => Promise<unknown>>;

/** Serves commands on a socket that only its owner can open: POST /COMMAND, JSON in and out. */
export async function serveControl(socket: string, handlers: Handlers): Promise<Server> {
  rmSync(socket, { force: true });
  const server = createServer((incoming, outgoing) => void handle(handlers, incoming, outgoing));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(socket, resolve);
  });
  chmodSync(socket, 0o600);
  return server;
}

async function handle(
  handlers: Handlers,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const command = incoming.url?.slice(1) ?? '';
  const answer = (status: number, body: unknown) =>
    outgoing.writeHead(status).end(JSON.stringify(body ?? null));
  if (!Object.hasOwn(handlers, command)) return void answer(404, { error: `no command "${command}"` });
  try {
    answer(200, await handlers[command as Command](await json(incoming)));
  } catch (error) {
    answer(400, { error: messageOf(error) });
  }
}

/** Sends a command. Rejects when the supervisor refuses it or does not answer. */
export function sendCommand(socket: string, command: Command, argument: unknown = null): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { socketPath: socket, path: `/${command}`, method: 'POST', timeout: 10_000 },
      (incoming) => {
        json(incoming).then(
          (body) => (incoming.statusCode === 200 ? resolve(body) : reject(refusal(body))),
          reject,
        );
      },
    );
    outgoing.once('timeout', () => outgoing.destroy(new Error('the supervisor does not answer')));
    outgoing.once('error', reject);
    outgoing.end(JSON.stringify(argument));
  });
}

function refusal(body: unknown): Error {
  return new Error(
    body !== null && typeof body === 'object' && 'error' in body ? String(body.error) : 'refused',
  );
}

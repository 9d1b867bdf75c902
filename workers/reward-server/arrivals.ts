import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { HttpFailure } from './http-failure.ts';

export interface ArrivalLimits {
  /** bytes of a request's body */
  bodyBytes: number;
  /** seconds for a body to arrive */
  receiveSeconds: number;
  /** connections without a complete request */
  connections: number;
  /** bytes of all incomplete bodies */
  arrivingBytes: number;
}

/**
 * Connections without a complete request. Where there are too many, or their bodies take too much memory, the oldest one
 * is closed: slow clients cannot block others.
 */
export class Arrivals {
  readonly #limits: ArrivalLimits;
  /** bytes of the body so far; the oldest connection comes first */
  readonly #bytes = new Map<Socket, number>();
  #total = 0;

  constructor(server: Server, limits: ArrivalLimits) {
    this.#limits = limits;
    server.on('connection', (socket: Socket) => {
      this.#await(socket);
      socket.once('close', () => this.#forget(socket));
    });
    server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
      response.once('finish', () => {
        if (!socket.destroyed) this.#await(socket);
      });
    });
  }

  /** Closes them all. */
  close(): void {
    for (const socket of this.#bytes.keys()) socket.destroy();
  }

  #await(socket: Socket): void {
    this.#forget(socket);
    this.#bytes.set(socket, 0);
    if (this.#bytes.size > this.#limits.connections) this.#closeOldest();
  }

  #forget(socket: Socket): void {
    this.#total -= this.#bytes.get(socket) ?? 0;
    this.#bytes.delete(socket);
  }

  #hold(socket: Socket, bytes: number): void {
    const held = this.#bytes.get(socket);
    if (held === undefined) return;
    this.#bytes.set(socket, held + bytes);
    this.#total += bytes;
    if (this.#total > this.#limits.arrivingBytes) this.#closeOldest((each) => each > 0);
  }

  #closeOldest(where: (bytes: number) => boolean = () => true): void {
    const [oldest] = [...this.#bytes].find(([, bytes]) => where(bytes)) ?? [];
    if (oldest === undefined) return;
    this.#forget(oldest);
    oldest.destroy();
  }

  /** A request's whole body, in a buffer of its own that can be transferred to a thread. Throws `HttpFailure`. */
  async bodyOf(request: IncomingMessage): Promise<Uint8Array> {
    const { bodyBytes, receiveSeconds } = this.#limits;
    if (Number(request.headers['content-length']) > bodyBytes) throw tooLarge(bodyBytes);
    const chunks: Buffer[] = [];
    let length = 0;
    await new Promise<void>((resolve, reject) => {
      const late = () => reject(new HttpFailure(408, 'slow', `expected a body within ${receiveSeconds} s`));
      const timer = setTimeout(late, receiveSeconds * 1_000);
      request.on('data', (chunk: Buffer) => {
        length += chunk.length;
        if (length > bodyBytes) return reject(tooLarge(bodyBytes));
        chunks.push(chunk);
        this.#hold(request.socket, chunk.length);
      });
      request.once('end', resolve);
      request.once('close', () => {
        clearTimeout(timer);
        reject(new HttpFailure(400, 'body', 'the connection was closed before the end of the body'));
      });
    });
    this.#forget(request.socket);
    const body = new Uint8Array(length);
    let at = 0;
    for (const chunk of chunks) {
      body.set(chunk, at);
      at += chunk.length;
    }
    return body;
  }
}

function tooLarge(bytes: number): HttpFailure {
  return new HttpFailure(413, 'body', `expected a body of at most ${bytes} bytes`);
}

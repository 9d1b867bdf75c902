/**
 * An HTTP proxy in front of S3 for one process: passes requests through, and counts the bytes of objects by kind.
 */
import { Agent, createServer, request as send } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Bytes and requests of one kind of object. */
export interface Traffic {
  read: number;
  reads: number;
  written: number;
  writes: number;
}

/** Traffic by kind, such as `rollout`; records of evaluations apart, as `evaluation/rollout`. */
export type TrafficByKind = ReadonlyMap<string, Readonly<Traffic>>;

export interface CountingProxy {
  endpoint: string;
  /** a copy of the counts now */
  traffic(): TrafficByKind;
  close(): Promise<void>;
}

/** `onWritten` is called with the kind of every object that is stored. */
export async function openCountingProxy(
  endpoint: string,
  onWritten: (kind: string) => void = () => undefined,
): Promise<CountingProxy> {
  const { hostname, port } = new URL(endpoint);
  const agent = new Agent({ keepAlive: true });
  const counts = new Map<string, Traffic>();
  const countOf = (kind: string): Traffic => {
    const known = counts.get(kind) ?? { read: 0, reads: 0, written: 0, writes: 0 };
    counts.set(kind, known);
    return known;
  };
  const server = createServer((incoming, outgoing) => {
    const { method = 'GET', url = '/' } = incoming;
    const kind = kindOf(url);
    // The proxy answers it itself.
    const { expect: _, ...headers } = incoming.headers;
    const onward = send({ agent, hostname, port, method, path: url, headers }, (response) => {
      const { statusCode = 500 } = response;
      const done = statusCode < 300;
      const count = countOf(kind);
      if (method === 'GET' && done) count.reads += 1;
      if (method === 'PUT' && done) count.written += Number(headers['content-length'] ?? 0);
      if (done && storesObject(method, url)) {
        count.writes += 1;
        onWritten(kind);
      }
      outgoing.writeHead(statusCode, response.headers);
      if (method === 'GET' && done)
        response.on('data', (chunk: Buffer) => {
          count.read += chunk.length;
        });
      response.on('error', () => outgoing.destroy());
      response.pipe(outgoing);
    });
    onward.on('error', () => outgoing.destroy());
    incoming.on('error', () => onward.destroy());
    incoming.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    traffic: () => new Map([...counts].map(([kind, count]) => [kind, { ...count }])),
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      agent.destroy();
      await closed;
    },
  };
}

/** Whether a request stores an object: a put of all of it, or the last call of an upload in parts. */
function storesObject(method: string, url: string): boolean {
  const query = new URLSearchParams(url.split('?')[1]);
  return method === 'PUT' ? !query.has('partNumber') : method === 'POST' && query.has('uploadId');
}

const RECORD = /\/(?:t\d+-)?([a-z-]+)-[0-9a-f]{16}\.safetensors$/;

/** The kind of object by its key; a list or a bucket is `other`. */
function kindOf(url: string): string {
  const [path = ''] = url.split('?');
  const [, record] = RECORD.exec(path) ?? [];
  if (record !== undefined) return path.includes('/evaluations/') ? `evaluation/${record}` : record;
  if (path.includes('/models/')) return 'model';
  return path.includes('/checkpoints/') ? 'checkpoint' : 'other';
}

/** Serves the verifiers over HTTP as a remote reward function. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseExactJson } from '../../contracts/exact-json.ts';
import { judgedDomains } from '../../rewards/domains.ts';
import { makeReward, rewardNames } from '../../rewards/index.ts';
import { createRewardTools, type RewardTools } from '../../rewards/tools.ts';
import { HttpFailure, httpFailureOf } from './http-failure.ts';
import { openApiDocument } from './openapi.ts';
import { score } from './score.ts';
import { readScoreRequest } from './score-request.ts';

export interface RewardServerOptions {
  host: string;
  /** 0: any that is free */
  port: number;
  version: string;
  limits?: Partial<RewardServerLimits>;
  tools?: RewardTools;
}

export interface RewardServerLimits {
  /** bytes of a request's body */
  bodyBytes: number;
  /** completions in a request */
  batch: number;
  /** requests scored or waiting at once */
  requests: number;
  /** seconds for a request to arrive, and for it to be scored */
  receiveSeconds: number;
  scoreSeconds: number;
}

export const DEFAULT_LIMITS: RewardServerLimits = {
  bodyBytes: 64 * 2 ** 20,
  batch: 4_096,
  requests: 32,
  receiveSeconds: 60,
  scoreSeconds: 600,
};

export interface RewardServer {
  /** `http://127.0.0.1:8900` */
  url: string;
  /** Answers what is under way, takes nothing new, and ends. */
  close(): Promise<void>;
}

interface Room {
  tools: RewardTools;
  limits: RewardServerLimits;
  version: string;
  loopback: boolean;
  underWay: number;
}

type Handler = (request: IncomingMessage, room: Room) => Promise<object> | object;

const routes: Record<string, Partial<Record<string, Handler>>> = {
  '/score': { POST: scoreBatch },
  '/health': { GET: (_, room) => health(room) },
  '/openapi.json': { GET: (_, { version }) => openApiDocument(version) },
};

/** Starts to serve. Rejects where the address cannot be had. */
export async function startRewardServer(options: RewardServerOptions): Promise<RewardServer> {
  const { host, port, version, tools = createRewardTools() } = options;
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const room: Room = { tools, limits, version, loopback: isLoopback(host), underWay: 0 };
  const server = createServer((request, response) => void answer(request, response, room));
  server.requestTimeout = limits.receiveSeconds * 1_000;
  server.headersTimeout = Math.min(10, limits.receiveSeconds) * 1_000;
  await listen(server, host, port);
  const { address, port: bound, family } = server.address() as AddressInfo;
  const url = `http://${family === 'IPv6' ? `[${address}]` : address}:${bound}`;
  return { url, close: () => close(server, tools) };
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

async function close(server: Server, tools: RewardTools): Promise<void> {
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });
  await tools.close();
}

async function answer(request: IncomingMessage, response: ServerResponse, room: Room): Promise<void> {
  try {
    send(response, 200, await handlerOf(request, room)(request, room));
  } catch (error) {
    const failure = httpFailureOf(error);
    if (failure.retryAfter !== null) response.setHeader('retry-after', failure.retryAfter);
    // what is left of a body that is not wanted would be read as the next request
    if (!request.complete) response.setHeader('connection', 'close');
    send(response, failure.status, { error: { kind: failure.kind, message: failure.message } });
  }
}

function handlerOf(request: IncomingMessage, { loopback }: Room): Handler {
  refuseForeignHost(request, loopback);
  const { pathname } = new URL(request.url ?? '/', 'http://localhost');
  const methods = Object.hasOwn(routes, pathname) ? routes[pathname] : undefined;
  if (methods === undefined) {
    const known = Object.keys(routes).join(', ');
    throw new HttpFailure(404, 'path', `expected one of ${known}, found ${pathname}`);
  }
  const handler = methods[request.method ?? ''];
  if (handler !== undefined) return handler;
  throw new HttpFailure(
    405,
    'method',
    `${pathname}: expected ${Object.keys(methods)}, found ${request.method}`,
  );
}

const LOOPBACK = /^(?:localhost|127(?:\.\d+){3}|\[::1\]|::1)$/i;
const isLoopback = (host: string) => LOOPBACK.test(host);

/** A page in a browser may call itself by any name that leads here, but not by this machine's own. */
function refuseForeignHost({ headers }: IncomingMessage, loopback: boolean): void {
  const host = (headers.host ?? '').replace(/:\d+$/, '');
  if (loopback && !isLoopback(host))
    throw new HttpFailure(403, 'host', `expected a request to this machine by name, found one to ${host}`);
}

function send(response: ServerResponse, status: number, body: object): void {
  const text = JSON.stringify(body);
  const length = Buffer.byteLength(text);
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': length }).end(text);
}

async function scoreBatch(request: IncomingMessage, room: Room): Promise<object> {
  const { limits, tools } = room;
  if (room.underWay >= limits.requests)
    throw new HttpFailure(429, 'busy', `expected at most ${limits.requests} requests under way`);
  room.underWay++;
  // counted until it has ended, also where nobody waits for it any more
  const work = readJson(request, limits.bodyBytes)
    .then((body) => score(readScoreRequest(body, limits), tools))
    .finally(() => room.underWay--);
  return within(limits.scoreSeconds, work);
}

async function within<T>(seconds: number, work: Promise<T>): Promise<T> {
  work.catch(() => undefined);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const failure = new HttpFailure(504, 'timeout', `not scored within ${seconds} s: send a smaller batch`);
    timer = setTimeout(() => reject(failure), seconds * 1_000);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function readJson(request: IncomingMessage, most: number): Promise<unknown> {
  const type = request.headers['content-type'] ?? 'none';
  // Asked for by a page in a browser, this type needs a permission that is never given.
  if (!/^application\/json\b/i.test(type))
    throw new HttpFailure(415, 'content-type', `expected application/json, found ${type}`);
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes > most) throw new HttpFailure(413, 'body', `expected a body of at most ${most} bytes`);
    chunks.push(chunk);
  }
  try {
    return parseExactJson(Buffer.concat(chunks).toString('utf8'));
  } catch {
    throw new HttpFailure(400, 'json', 'expected a body of JSON');
  }
}

function health({ tools, underWay }: Room): object {
  const versions = rewardNames.map((name) => [name, makeReward({ name }, tools).version]);
  return {
    status: 'ok',
    rewards: Object.fromEntries(versions),
    domains: judgedDomains,
    under_way: underWay,
  };
}

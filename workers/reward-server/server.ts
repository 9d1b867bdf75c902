/** Serves the verifiers over HTTP as a remote reward function. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { judgedDomains } from '../../rewards/domains.ts';
import { makeReward, rewardNames } from '../../rewards/index.ts';
import { createRewardTools } from '../../rewards/tools.ts';
import { type ArrivalLimits, Arrivals } from './arrivals.ts';
import { HttpFailure, httpFailureOf } from './http-failure.ts';
import { openApiDocument } from './openapi.ts';
import { createScorer, type Scorer } from './scorer.ts';

export interface RewardServerOptions {
  host: string;
  /** 0: any free port */
  port: number;
  version: string;
  limits?: Partial<RewardServerLimits>;
}

export interface RewardServerLimits extends ArrivalLimits {
  /** completions in a request */
  batch: number;
  /** complete requests that are being scored */
  requests: number;
  /** seconds for a request to be scored */
  scoreSeconds: number;
}

export const DEFAULT_LIMITS: RewardServerLimits = {
  bodyBytes: 64 * 2 ** 20,
  receiveSeconds: 60,
  connections: 256,
  arrivingBytes: 512 * 2 ** 20,
  batch: 4_096,
  requests: 32,
  scoreSeconds: 600,
};

export interface RewardServer {
  /** `http://127.0.0.1:8900` */
  url: string;
  /** Ends once all complete requests are answered; accepts no new ones. */
  close(): Promise<void>;
}

interface ServerContext {
  scorer: Scorer;
  arrivals: Arrivals;
  limits: RewardServerLimits;
  version: string;
  loopback: boolean;
  underWay: number;
}

/** The signal aborts when the client closes the connection. */
type Handler = (
  request: IncomingMessage,
  context: ServerContext,
  signal: AbortSignal,
) => Promise<string> | object;

const routes: Record<string, Partial<Record<string, Handler>>> = {
  '/score': { POST: scoreBatch },
  '/health': { GET: (_, context) => health(context) },
  '/openapi.json': { GET: (_, { version }) => openApiDocument(version) },
};

/** Starts to serve. Rejects where the address is not available. */
export async function startRewardServer(options: RewardServerOptions): Promise<RewardServer> {
  const { host, port, version } = options;
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const server = createServer({ connectionsCheckingInterval: 1_000 });
  const arrivals = new Arrivals(server, limits);
  const scorer = createScorer();
  const context: ServerContext = {
    scorer,
    arrivals,
    limits,
    version,
    loopback: isLoopback(host),
    underWay: 0,
  };
  server.on('request', (request, response) => void answer(request, response, context));
  // The time for a body starts after its head.
  server.headersTimeout = Math.min(10, limits.receiveSeconds) * 1_000;
  server.requestTimeout = 2 * limits.receiveSeconds * 1_000;
  await listen(server, host, port);
  const { address, port: bound, family } = server.address() as AddressInfo;
  const url = `http://${family === 'IPv6' ? `[${address}]` : address}:${bound}`;
  return { url, close: () => close(server, arrivals, scorer) };
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

async function close(server: Server, arrivals: Arrivals, scorer: Scorer): Promise<void> {
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    arrivals.close();
  });
  await scorer.close();
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  context: ServerContext,
): Promise<void> {
  const gone = new AbortController();
  response.once('close', () =>
    gone.abort(new HttpFailure(499, 'gone', 'the client has closed the connection')),
  );
  try {
    send(response, 200, await handlerOf(request, context)(request, context, gone.signal));
  } catch (error) {
    if (gone.signal.aborted) return;
    const failure = httpFailureOf(error);
    if (failure.retryAfter !== null) response.setHeader('retry-after', failure.retryAfter);
    // The rest of an unread body would be parsed as the next request.
    if (!request.complete) response.setHeader('connection', 'close');
    send(response, failure.status, { error: { kind: failure.kind, message: failure.message } });
  }
}

function handlerOf(request: IncomingMessage, { loopback }: ServerContext): Handler {
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

/** A web page can reach this server under any host name that resolves here, but not under this machine's own names. */
function refuseForeignHost({ headers }: IncomingMessage, loopback: boolean): void {
  const host = (headers.host ?? '').replace(/:\d+$/, '');
  if (loopback && !isLoopback(host))
    throw new HttpFailure(403, 'host', `expected a Host header that names this machine, found ${host}`);
}

function send(response: ServerResponse, status: number, body: object | string): void {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const length = Buffer.byteLength(text);
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': length }).end(text);
}

/** A request counts from its arrival until its work has ended, also after the client has closed the connection. */
async function scoreBatch(
  request: IncomingMessage,
  context: ServerContext,
  gone: AbortSignal,
): Promise<string> {
  const { arrivals, limits, scorer } = context;
  const type = request.headers['content-type'] ?? 'none';
  // A web page needs a CORS permission for this type, which the server never gives.
  if (!/^application\/json\b/i.test(type))
    throw new HttpFailure(415, 'content-type', `expected application/json, found ${type}`);
  const body = await arrivals.bodyOf(request);
  gone.throwIfAborted();
  if (context.underWay >= limits.requests)
    throw new HttpFailure(429, 'busy', `expected at most ${limits.requests} requests at a time`);
  context.underWay++;
  return within(limits.scoreSeconds, gone, (signal) =>
    scorer.score(body, limits.batch, signal).finally(() => context.underWay--),
  );
}

/** The result of `work`; aborts the work and rejects when the client is gone or the time is over. */
async function within<T>(
  seconds: number,
  gone: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const late = new AbortController();
  const timer = setTimeout(
    () => late.abort(new HttpFailure(504, 'timeout', `not scored within ${seconds} s: send a smaller batch`)),
    seconds * 1_000,
  );
  const signal = AbortSignal.any([gone, late.signal]);
  const ended = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  try {
    return await Promise.race([work(signal), ended]);
  } finally {
    clearTimeout(timer);
  }
}

const tools = createRewardTools();
const versions = Object.fromEntries(rewardNames.map((name) => [name, makeReward({ name }, tools).version]));

function health({ underWay }: ServerContext): object {
  return { status: 'ok', rewards: versions, domains: judgedDomains, under_way: underWay };
}

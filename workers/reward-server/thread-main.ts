/** The scorer's thread: reads requests, judges them concurrently, and writes responses. */
import { parentPort } from 'node:worker_threads';
import { parseExactJson } from '../../contracts/exact-json.ts';
import { cancelledBy, createRewardTools } from '../../rewards/tools.ts';
import { HttpFailure, httpFailureOf } from './http-failure.ts';
import { score } from './score.ts';
import { readScoreRequest } from './score-request.ts';
import type { ScorerAnswer, ScorerMessage } from './scorer.ts';

const port = parentPort;
if (port === null)
  throw new Error('workers/reward-server/thread-main.ts is a worker thread; start it by createScorer()');

const tools = createRewardTools();
const underWay = new Map<number, AbortController>();

async function answer(body: Uint8Array, batch: number, signal: AbortSignal): Promise<string> {
  const request = readScoreRequest(parsed(body), { batch });
  return JSON.stringify(
    await score(
      request,
      cancelledBy(tools, () => signal),
      signal,
    ),
  );
}

function parsed(body: Uint8Array): unknown {
  try {
    return parseExactJson(Buffer.from(body.buffer, body.byteOffset, body.length).toString('utf8'));
  } catch {
    throw new HttpFailure(400, 'json', 'expected a body of JSON');
  }
}

async function serve({ id, body, batch }: Exclude<ScorerMessage, { cancel: number }>): Promise<ScorerAnswer> {
  const controller = new AbortController();
  underWay.set(id, controller);
  try {
    return { id, text: await answer(body, batch, controller.signal) };
  } catch (error) {
    const { status, kind, message } = httpFailureOf(error);
    return { id, failure: { status, kind, message } };
  } finally {
    underWay.delete(id);
  }
}

port.on('message', async (message: ScorerMessage) => {
  if ('cancel' in message)
    underWay.get(message.cancel)?.abort(new HttpFailure(499, 'gone', 'the request was cancelled'));
  else port.postMessage(await serve(message));
});

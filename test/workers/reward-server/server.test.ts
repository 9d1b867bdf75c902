import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { after, type TestContext, test } from 'node:test';
import { readScoreRequest } from '../../../workers/reward-server/score-request.ts';
import {
  type RewardServer,
  type RewardServerLimits,
  startRewardServer,
} from '../../../workers/reward-server/server.ts';
import { eventually, sandboxOf, whySkip } from '../../rewards/code/support.ts';

/** Tests look into it as they like. */
const jsonOf = async (response: Response) => JSON.parse(await response.text());

let shared: Promise<RewardServer> | undefined;
after(async () => (await shared)?.close());

/** A server of a test's own where it has limits, else one for all. */
async function serving(t: TestContext, limits?: Partial<RewardServerLimits>) {
  const start = () => startRewardServer({ host: '127.0.0.1', port: 0, version: '1', limits: limits ?? {} });
  if (limits === undefined) shared ??= start();
  const server = await (limits === undefined ? (shared as Promise<RewardServer>) : start());
  if (limits !== undefined) t.after(() => server.close());
  const post = async (body: unknown, headers: Record<string, string> = {}) => {
    const response = await fetch(`${server.url}/score`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
    return { status: response.status, headers: response.headers, json: JSON.parse(await response.text()) };
  };
  const rewardsOf = async (body: unknown) => (await post(body)).json.rewards;
  return { ...server, post, rewardsOf };
}

test('TRL’s shape: completions as texts or conversations, ground truths under any of their names', async (t) => {
  const { rewardsOf } = await serving(t);
  const chat = (content: string) => [{ role: 'assistant', content }];
  assert.deepEqual(
    await rewardsOf({
      prompts: [[{ role: 'user', content: '1/2?' }], [{ role: 'user', content: '2+2?' }]],
      completions: [chat('<think>\\boxed{3}</think> so \\boxed{0.5}'), chat('5')],
      solution: ['$\\boxed{\\frac12}$', '4'],
      completion_ids: [[1], [2]],
    }),
    [1, 0],
  );
  for (const name of ['answer', 'ground_truth', 'labels'])
    assert.deepEqual(await rewardsOf({ completions: ['so 4'], [name]: ['4'] }), [1], name);
});

test('OpenRLHF’s shape: the prompt and end tokens are no part of the answer', async (t) => {
  const { post } = await serving(t);
  const prompts = ['<|user|>What is 20+22? \\boxed{42}<|assistant|>', 'q'];
  const query = [`${prompts[0]}It is \\boxed{41}<|im_end|>`, 'qThe answer is 7.</s>'];
  const { status, json } = await post({ query, prompts, labels: ['42', '7'] });
  assert.equal(status, 200);
  assert.deepEqual(json.rewards, [0, 1]);
  assert.deepEqual(json.scores, json.rewards);
  assert.deepEqual(json.extra_logs, { accuracy: 0.5 });
});

test('a <think> that the prompt has written counts as the beginning of the answer', async (t) => {
  const { rewardsOf } = await serving(t);
  const rewards = [
    { name: 'accuracy', weight: 1 },
    { name: 'format', weight: 1 },
  ];
  const ask = (body: object) => rewardsOf({ answer: ['2'], rewards, ...body });
  const completions = ['1+1</think><answer>2</answer>'];
  assert.deepEqual(await ask({ completions, prompts: ['1+1=?<think>\n'] }), [2]);
  assert.deepEqual(await ask({ completions, prompts: ['1+1=?'] }), [1]);
  assert.deepEqual(await ask({ completions: ['it is 2'], prompts: ['1+1=?<think>'] }), [0]);
  const query = [`1+1=?<think>${completions[0]}<|im_end|>`];
  assert.deepEqual(await rewardsOf({ query, prompts: ['1+1=?<think>'], labels: ['2'], rewards }), [2]);
});

test('columns tell the domain: tests of programs, reasoning-gym’s metadata, options, or a name', async (t) => {
  const { rewardsOf } = await serving(t);
  assert.deepEqual(
    await rewardsOf({
      completions: ['<answer>2</answer>', '<answer>3</answer>'],
      answer: ['2', '2'],
      metadata: [{ source_dataset: 'gcd' }, { source_dataset: 'gcd' }],
    }),
    [1, 0],
  );
  const entry = { options: ['red', 'blue'] };
  const choice = { completions: ['(B)', 'red'], answer: ['B', 'B'], entry: [entry, entry] };
  assert.deepEqual(await rewardsOf({ ...choice, domain: 'science' }), [1, 0]);
  const both = { completions: ['<think></think><answer>x</answer>', '4'], answer: ['x', '4'] };
  assert.deepEqual(await rewardsOf({ ...both, domain: ['words', 'math'] }), [1, 1]);
});

test('thinking that never ends, or that nothing follows, holds no answer in any domain', async (t) => {
  const { rewardsOf } = await serving(t);
  const choice = { options: ['red', 'blue'], answer: 'B' };
  const completions = ['<think>so \\boxed{B}', '<think>\\boxed{B}</think>\n', '<think>so</think>\\boxed{B}'];
  for (const domain of ['math', 'science'])
    assert.deepEqual(
      await rewardsOf({ completions, answer: ['B', 'B', 'B'], entry: [choice, choice, choice], domain }),
      [0, 0, 1],
      domain,
    );
});

test('integers beyond 2^53 in a request keep their digits', async (t) => {
  const { rewardsOf } = await serving(t);
  const [n, off] = ['9007199254740993', '9007199254740992'];
  const answers = `"completions": ["\\\\boxed{${n}}", "\\\\boxed{${off}}"], "answer": [${n}, ${n}]`;
  assert.deepEqual(await rewardsOf(`{${answers}}`), [1, 0]);
  const entries = `"completions": ["[${n}]", "[${off}]"], "entry": [{"output": [${n}]}, {"output": [${n}]}]`;
  assert.deepEqual(await rewardsOf(`{${entries}, "domain": "output-prediction"}`), [1, 0]);
});

test('a program is run against its tests', async (t) => {
  const { post } = await serving(t);
  const verification_info = { language: 'python', test_cases: [{ input: '3\n', output: '9\n' }] };
  const program = (body: string) => `\`\`\`python\n${body}\n\`\`\``;
  const { status, json } = await post({
    completions: [program('print(int(input())**2)'), program('print(1)')],
    verification_info: [verification_info, verification_info],
  });
  if (status === 503) return t.skip(json.error.message);
  assert.deepEqual(json.rewards, [1, 0]);
});

test('rewards are summed by weight; an error is null, or what is asked for, and is told', async (t) => {
  const { post } = await serving(t);
  const body = {
    completions: ['<think>a</think><answer>4</answer>', '4'],
    answer: ['4', '\\frac{'],
    rewards: [
      { name: 'accuracy', weight: 2 },
      { name: 'format', weight: 0.5 },
    ],
  };
  const { json } = await post(body);
  assert.deepEqual(json.rewards, [2.5, null]);
  assert.deepEqual(json.parts, { accuracy: [1, null], format: [1, 0] });
  assert.equal(json.errors[0].index, 1);
  assert.equal(json.errors[0].kind, 'ground-truth');
  assert.deepEqual((await post({ ...body, on_error: -1 })).json.rewards, [2.5, -1]);
  const length = { ...body, rewards: [{ name: 'length' }], max_completion_length: 100 };
  assert.equal((await post(length)).status, 400);
  assert.deepEqual((await post({ ...length, tokens: [10, 90] })).json.rewards, [0, -0.5]);
});

test('what is not a request is refused with its field', async (t) => {
  const { post, url } = await serving(t, { batch: 2, bodyBytes: 2_000 });
  const cases = [
    ['{"completions": [', 400, 'json', /JSON/],
    [{}, 400, 'request', /completions/],
    [{ completions: ['a'], answer: ['1', '2'] }, 400, 'request', /as many as completions \(1\), found 2/],
    [{ completions: ['a', 'b', 'c'] }, 400, 'request', /at most 2 in a request, found 3/],
    [{ completions: ['a'], rewards: [{ name: 'luck' }] }, 400, 'request', /rewards/],
    [{ completions: ['x'.repeat(3_000)] }, 413, 'body', /at most 2000 bytes/],
  ] as const;
  for (const [body, status, kind, message] of cases) {
    const { json, ...answered } = await post(body);
    assert.equal(answered.status, status, JSON.stringify(json));
    assert.equal(json.error.kind, kind);
    assert.match(json.error.message, message);
  }
  assert.equal((await post('a=1', { 'content-type': 'application/x-www-form-urlencoded' })).status, 415);
  assert.equal((await fetch(`${url}/score`)).status, 405);
  assert.equal((await fetch(`${url}/constructor`)).status, 404);
  assert.equal((await post({ completions: ['4'], answer: ['4'] })).status, 200);
});

test('a request under another machine’s name is refused, as a page in a browser would send it', async (t) => {
  const { url } = await serving(t);
  const status = await new Promise((resolve, reject) => {
    request(`${url}/health`, { headers: { host: 'evil.example' } }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .on('error', reject)
      .end();
  });
  assert.equal(status, 403);
});

test('more requests than may be under way are told to come again', async (t) => {
  const { post } = await serving(t, { requests: 0 });
  const { status, headers, json } = await post({ completions: ['4'], answer: ['4'] });
  assert.deepEqual([status, json.error.kind, headers.get('retry-after')], [429, 'busy', '1']);
});

test('closing answers what is under way', async (t) => {
  const { post, close, url } = await serving(t, {});
  const batch = { completions: Array(500).fill('so \\boxed{4}'), answer: Array(500).fill('4') };
  const underWay = post(batch);
  while ((await jsonOf(await fetch(`${url}/health`))).under_way === 0);
  const closed = close();
  assert.deepEqual(new Set((await underWay).json.rewards), new Set([1]));
  await closed;
  await assert.rejects(fetch(`${url}/health`));
});

test('the description is OpenAPI 3.1 and names every field that is asked and answered', async (t) => {
  const { url } = await serving(t);
  const document = await jsonOf(await fetch(`${url}/openapi.json`));
  assert.equal(document.openapi, '3.1.0');
  const { post } = document.paths['/score'];
  const [trl, rlhf] = post.requestBody.content['application/json'].schema.anyOf;
  assert.ok('completions' in trl.properties && 'ground_truth' in trl.properties);
  assert.deepEqual(rlhf.required, ['query']);
  assert.ok('rewards' in post.responses[200].content['application/json'].schema.properties);
  const { status, domains } = await jsonOf(await fetch(`${url}/health`));
  assert.equal(status, 'ok');
  assert.ok(domains.includes('math'));
});

const skip = await whySkip(sandboxOf());

/** A client that sends a head and the beginning of a body, and nothing more. */
async function slowClient(
  t: TestContext,
  url: string,
  sent: string,
): Promise<{ received(): string; closed(): boolean }> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  let [text, closed] = ['', false];
  socket.on('data', (chunk: Buffer) => {
    text += chunk;
  });
  socket
    .on('error', () => {})
    .on('close', () => {
      closed = true;
    });
  t.after(() => socket.destroy());
  await new Promise<void>((resolve) => socket.write(sent, () => resolve()));
  return { received: () => text, closed: () => closed };
}

const HEAD =
  'POST /score HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n';
const RIGHT = { completions: ['4'], answer: ['4'] };

test('a body that has not arrived takes nobody’s place, and has its own time', async (t) => {
  const { post, url } = await serving(t, { requests: 1, receiveSeconds: 3 });
  const slow = await Promise.all(Array.from({ length: 40 }, () => slowClient(t, url, `${HEAD}{"comp`)));
  assert.equal((await post(RIGHT)).status, 200);
  assert.equal((await jsonOf(await fetch(`${url}/health`))).under_way, 0);
  assert.ok(await eventually(() => slow.every(({ closed }) => closed())));
  for (const { received } of slow) assert.match(received(), /^HTTP\/1\.1 408 .*"kind":"slow".*within 3 s/s);
});

test('of too many connections, those give way that have been waited for longest', async (t) => {
  const { post, url } = await serving(t, { connections: 8 });
  const open: Awaited<ReturnType<typeof slowClient>>[] = [];
  for (const sent of [HEAD, 'GET /hea', '', `${HEAD}{`]) {
    for (let n = 0; n < 10; n++) open.push(await slowClient(t, url, sent));
  }
  assert.equal((await jsonOf(await fetch(`${url}/health`))).status, 'ok');
  assert.equal((await post(RIGHT)).status, 200);
  assert.ok(await eventually(() => open.slice(0, 31).every(({ closed }) => closed())));
});

test('bodies that have not arrived hold a bounded memory together', async (t) => {
  const { post, url } = await serving(t, { arrivingBytes: 2_000 });
  const slow: Awaited<ReturnType<typeof slowClient>>[] = [];
  for (let n = 0; n < 4; n++) slow.push(await slowClient(t, url, HEAD + ' '.repeat(900)));
  assert.ok(await eventually(() => slow.filter(({ closed }) => closed()).length >= 2));
  assert.equal((await post(RIGHT)).status, 200);
});

/** Sandboxes that this process has started and that still run. */
function ownSandboxes(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const status = readFileSync(`/proc/${pid}/status`, 'utf8');
        return /^Name:\s+bwrap$/m.test(status) && new RegExp(`^PPid:\\s+${process.pid}$`, 'm').test(status);
      } catch {
        return false;
      }
    })
    .map(Number);
}

const SLEEPER = {
  completions: Array(40).fill('```python\nimport time\ntime.sleep(10 ** 8)\n```'),
  verification_info: Array(40).fill({ language: 'python', test_cases: [{ input: '', output: '' }] }),
  domain: 'code',
};

test('what runs for a client that has gone is ended, and its place is free', { skip }, async (t) => {
  const { post, url } = await serving(t, { requests: 1 });
  const client = new AbortController();
  const headers = { 'content-type': 'application/json' };
  const asked = fetch(`${url}/score`, {
    ...{ method: 'POST', headers, body: JSON.stringify(SLEEPER), signal: client.signal },
  });
  assert.ok(await eventually(() => ownSandboxes().length > 0));
  assert.equal((await post(RIGHT)).status, 429);
  client.abort();
  await assert.rejects(asked);
  const underWay = async () => (await jsonOf(await fetch(`${url}/health`))).under_way;
  // Not one of the 40 programs would have ended by itself before 20 s.
  while ((await underWay()) > 0);
  assert.deepEqual(ownSandboxes(), []);
  assert.equal((await post(RIGHT)).status, 200);
});

test('what is not scored in time is answered so, and ended', { skip }, async (t) => {
  const { post, url } = await serving(t, { scoreSeconds: 5 });
  const { status, json } = await post(SLEEPER);
  assert.deepEqual([status, json.error.kind], [504, 'timeout']);
  while ((await jsonOf(await fetch(`${url}/health`))).under_way > 0);
  assert.deepEqual(ownSandboxes(), []);
});

test('health is answered while texts are judged', async (t) => {
  const { post, url } = await serving(t);
  const text = 'Ein Satz, der gelesen werden will, und noch ein zweiter. '.repeat(2_000);
  let answered = false;
  const judged = post({
    completions: Array(80).fill(`<think>${text}</think>`),
    rewards: [{ name: 'language', weight: 1 }],
  }).finally(() => {
    answered = true;
  });
  while ((await jsonOf(await fetch(`${url}/health`))).under_way === 0 && !answered);
  for (let n = 0; n < 5; n++) assert.equal((await fetch(`${url}/health`)).status, 200);
  assert.equal(answered, false);
  assert.equal((await judged).status, 200);
});

test('special tokens end a text in any number; long runs of blanks cost nothing', async () => {
  const responseOf = (text: string) =>
    readScoreRequest({ query: [text] }, { batch: 1 }).inputs[0]?.completionText;
  for (const [text, response] of [
    ['7</s>', '7'],
    ['7 <|im_end|>\n<|endoftext|> \n', '7'],
    ['7<｜end▁of▁sentence｜>', '7'],
    ['7<eos><eos>', '7'],
    ['7 ', '7 '],
    ['1 < 2 and 3 > ', '1 < 2 and 3 > '],
    ['<b>7</b>', '<b>7</b>'],
    ['<|im_end|>', ''],
  ] as const)
    assert.equal(responseOf(text), response);
  for (const run of [' ', '</s>', '<|', '<|a|>', '<', '>', '<｜', ' <']) {
    const long = `${run.repeat(300_000)}x`;
    assert.equal(responseOf(long), long);
    assert.equal(responseOf(`x${'</s> '.repeat(100_000)}`), 'x');
  }
});

import assert from 'node:assert/strict';
import { request } from 'node:http';
import { type TestContext, test } from 'node:test';
import { type RewardServerLimits, startRewardServer } from '../../../workers/reward-server/server.ts';

/** Tests look into it as they like. */
const jsonOf = async (response: Response) => JSON.parse(await response.text());

async function serving(t: TestContext, limits: Partial<RewardServerLimits> = {}) {
  const server = await startRewardServer({ host: '127.0.0.1', port: 0, version: '1', limits });
  t.after(() => server.close());
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
  const { post, close, url } = await serving(t);
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
